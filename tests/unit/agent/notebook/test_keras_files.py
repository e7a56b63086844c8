"""Files of Keras 2 have the names that Keras 3 wants, wherever a notebook saves and loads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.agent.notebook.rule_context import Setting
from harness.agent.notebook.rules import rules


@pytest.mark.parametrize(
    ("cells", "changed"),
    [
        (
            ("ModelCheckpoint('best.h5', save_weights_only=True)", "model.load_weights('best.h5')"),
            ("ModelCheckpoint('best.weights.h5', save_weights_only=True)", "model.load_weights('best.weights.h5')"),
        ),
        (
            ("path = 'a/cp-{epoch:04d}.ckpt'", "ModelCheckpoint(filepath=path, save_weights_only=True, period=5)"),
            ("path = 'a/cp-{epoch:04d}.weights.h5'", "ModelCheckpoint(filepath=path, save_weights_only=True)"),
        ),
        (
            (
                "c = ModelCheckpoint(os.path.join(d, 'b.hdf5'), save_best_only=True)",
                "m = load_model(d + '/' + 'b.hdf5')",
            ),
            ("c = ModelCheckpoint(os.path.join(d, 'b.h5'), save_best_only=True)", "m = load_model(d + '/' + 'b.h5')"),
        ),
        (
            ("model.save('flowers', save_format='tf')", "m = load_model('flowers')\nprint('flowers')"),
            ("model.save('flowers.keras')", "m = load_model('flowers.keras')\nprint('flowers')"),
        ),
        (
            ("path = 'saved'\nos.makedirs(path)", "model.save(path)", "load_model(path)"),
            (
                "path = 'saved'\nos.makedirs(path)",
                "model.save(str(path) + '.keras')",
                "load_model(str(path) + '.keras')",
            ),
        ),
        (
            ("model.save_weights(f'runs/{n}.h5')", "latest = tf.train.latest_checkpoint(folder)"),
            (
                "model.save_weights(f'runs/{n}.weights.h5')",
                "latest = max(__import__('glob').glob(f'{folder}/*.weights.h5'), default=None, "
                "key=__import__('os').path.getmtime)",
            ),
        ),
    ],
)
def test_a_file_of_keras_has_its_new_name_wherever_it_is_loaded(
    cells: tuple[str, ...], changed: tuple[str, ...]
) -> None:
    others = ("import keras", *cells)
    setting = Setting(Path("/work/handin"), others)
    assert tuple(rules()["keras_files"].apply(cell, setting) for cell in cells) == changed
