"""Every rule that changes a cell before it runs: what it changes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.agent.notebook.cell import cell_magic, tree_of
from harness.agent.notebook.rule_context import Setting
from harness.agent.notebook.rules import rules

HERE = Path("/work/handin")


def applied(name: str, source: str, *others: str, names: tuple[str, ...] = (), here: Path = HERE) -> str:
    return rules()[name].apply(source, Setting(here, (source, *others), names))


def noted(name: str, source: str, here: Path = HERE) -> list[tuple[str, str]]:
    setting = Setting(here, (source,))
    rules()[name].apply(source, setting)
    return list(setting.notes)


CHANGES = [
    ("pip_install", "!pip install -q torch", "pass  # not run: !pip install -q torch"),
    ("pip_install", "  %pip install torch", "  pass  # not run: %pip install torch"),
    ("pip_install", "!pip install a \\\n  b\nx = 1", "pass  # not run: !pip install a b\nx = 1"),
    ("pip_install", "!apt-get install -y graphviz", "pass  # not run: !apt-get install -y graphviz"),
    ("pip_install", "%%bash\npip install torch\nls", "%%bash\n: not run: pip install torch\nls"),
    ("downloads", "!wget -q https://a.b/c.zip", "pass  # not run: !wget -q https://a.b/c.zip"),
    ("downloads", "!git clone https://a.b/c", "pass  # not run: !git clone https://a.b/c"),
    ("downloads", "!mkdir x && kaggle datasets download d", "pass  # not run: !mkdir x && kaggle datasets download d"),
    ("archives", "!unzip -q dataset.zip", "pass  # not run: !unzip -q dataset.zip"),
    ("magics", "%matplotlib notebook", "%matplotlib inline"),
    ("magics", "%tensorflow_version 2.x\nx", "pass  # not run: %tensorflow_version 2.x\nx"),
    ("magics", "%load_ext tensorboard", "pass  # not run: %load_ext tensorboard"),
    ("plot_backend", "import matplotlib\nmatplotlib.use('TkAgg')", "import matplotlib\nNone"),
    ("plot_backend", "plt.switch_backend('Qt5Agg')", "None"),
    ("opencv_windows", "cv2.waitKey(0)\ncv2.destroyAllWindows()", "-1\nNone"),
    ("input", "name = input('Who?')", "name = ''"),
    ("input", "key = getpass.getpass('key')", "key = ''"),
    ("numpy_names", "a = np.zeros(3, dtype=np.float)", "a = np.zeros(3, dtype=float)"),
    ("numpy_names", "best = -np.Inf", "best = -np.inf"),
    ("pillow_names", "im.resize((8, 8), Image.ANTIALIAS)", "im.resize((8, 8), Image.LANCZOS)"),
    ("pillow_names", "from PIL.Image import ANTIALIAS", "from PIL.Image import LANCZOS as ANTIALIAS"),
    ("keras_names", "from keras.layers.core import Dense, Flatten", "from keras.layers import Dense, Flatten"),
    (
        "keras_names",
        "from tensorflow.keras.layers.experimental.preprocessing import Rescaling",
        "from tensorflow.keras.layers import Rescaling",
    ),
    ("keras_names", "from keras.layers import Convolution2D", "from keras.layers import Conv2D as Convolution2D"),
    ("keras_names", "from keras.engine.topology import Layer", "from keras.layers import Layer"),
    ("keras_names", "from keras.utils import np_utils", "from keras import utils as np_utils"),
    ("keras_names", "from keras.utils.np_utils import to_categorical", "from keras.utils import to_categorical"),
    (
        "keras_names",
        "from keras.preprocessing.image import ImageDataGenerator, load_img",
        "from keras.preprocessing.image import load_img; "
        "from keras.src.legacy.preprocessing.image import ImageDataGenerator",
    ),
    ("torch_names", "transforms.Compose([transforms.Scale(256)])", "transforms.Compose([transforms.Resize(256)])"),
    ("torch_names", "T = transforms.RandomSizedCrop(224)", "T = transforms.RandomResizedCrop(224)"),
    ("torch_names", "images, labels = dataiter.next()", "images, labels = next(dataiter)"),
    ("torch_names", "net = torch.load('net.pth')", "net = torch.load('net.pth', weights_only=False)"),
    ("whole_numbers", "fig.add_subplot(2, 20/2, i + 1)", "fig.add_subplot(2, int(20/2), i + 1)"),
    ("whole_numbers", "model.fit(x, steps_per_epoch=n/32)", "model.fit(x, steps_per_epoch=int(n/32))"),
    ("python2", "print 'acc', x", "print('acc', x)"),
    ("python2", "for i in xrange(3):\n    print i,", "for i in range(3):\n    print(i, end=' ')"),
    ("python2", "try:\n    f()\nexcept OSError, e:\n    print e", "try:\n    f()\nexcept OSError as e:\n    print(e)"),
    ("downloaded_data", "p = tf.keras.utils.get_file('pets', origin=u, untar=True)", "p = 'pets'"),
    ("downloaded_data", "p = get_file('cats.zip', origin=u, extract=True)", "p = 'cats.zip'"),
    ("downloaded_data", "p = kagglehub.dataset_download('a/b')", "p = '.'"),
    ("kernel_restarts", "import os\nos.kill(os.getpid(), 9)", "import os\nNone"),
    ("kernel_restarts", "import os as o\npid = o.getpid()\no.kill(pid, 9)", "import os as o\npid = o.getpid()\nNone"),
    ("kernel_restarts", "from os import _exit\n_exit(0); x = 1", "from os import _exit\nNone; x = 1"),
    ("kernel_restarts", "IPython.Application.instance().kernel.do_shutdown(True)", "None"),
    ("kernel_restarts", "get_ipython().kernel.do_shutdown(restart=True)", "None"),
    ("kernel_restarts", "from google.colab import runtime\nruntime.unassign()",
     "from google.colab import runtime\nNone"),
    ("kernel_restarts", "if restart:\n    exit()", "if restart:\n    None"),
    ("kernel_restarts", "quit", "None"),
    ("kernel_restarts", "sys.exit(main())", "(main(),)"),
    ("kernel_restarts", "psutil.Process(os.getpid()).kill()", "None"),
    ("kernel_restarts", "!kill -9 -1", "pass  # not run: !kill -9 -1"),
    ("downloaded_data", "import torchvision\nx = datasets.CIFAR10('d', transform=t)",
     "import torchvision\nx = datasets.CIFAR10('d', transform=t, download=True)"),
    ("downloaded_data", "from torchvision.datasets import MNIST\nMNIST(root='d', download=False)",
     "from torchvision.datasets import MNIST\nMNIST(root='d', download=True)"),
    ("keras_backend", "import os\nos.environ['KERAS_BACKEND'] = 'theano'",
     "import os\npass  # not run: os.environ['KERAS_BACKEND'] = 'theano'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "after"), CHANGES)
def test_a_rule_changes_what_stands_in_the_way(name: str, before: str, after: str) -> None:
    assert applied(name, before) == after
    assert applied(name, after) == after, "applied again, it changes nothing"


LEFT_ALONE = [
    ("pip_install", "!ls -la"),
    ("pip_install", "pip = 3  # install"),
    ("downloads", "!echo wget_done"),
    ("archives", "!unzip -l dataset.zip"),
    ("magics", "%matplotlib inline"),
    ("magics", "%%time\nx = 1"),
    ("magics", "x = 10 %matplotlib"),
    ("plot_backend", "matplotlib.use('Agg')"),
    ("opencv_windows", "img = cv2.imread('a.png')"),
    ("opencv_windows", "plt.imshow(img)"),
    ("input", "x = keras.Input(shape=(3,))\nlayer.input"),
    ("numpy_names", "x = np.float32(1); y = np.int64(2); z = 'np.float'"),
    ("pillow_names", "Image.BILINEAR"),
    ("keras_names", "from keras.layers import Dense\nfrom keras.applications.vgg16 import VGG16"),
    ("keras_names", "from tensorflow.keras.preprocessing.image import ImageDataGenerator"),
    ("torch_names", "x = next(it)\nnode = tree.next(3)"),
    ("torch_names", "torch.load('a.pth', weights_only=True)"),
    ("torch_names", "model.load_state_dict(torch.load('a.pth'))"),
    ("whole_numbers", "plt.subplot(1, 2, 1)"),
    ("python2", "print('x')\nprint(x, end='')"),
    ("python2", "this is no Python of any kind"),
    ("downloaded_data", "w = get_file('weights.h5', 'https://a.b/weights.h5')"),
    ("paths", "url = 'https://a.b/home/x'\ntext = 'one/two or three'\nregex = r'\\d+/\\w+'"),
    ("paths", "open('/etc/passwd')\nopen('/home/jan/.ssh/id_rsa')"),
    ("paths", "data = 'data/train'"),
    ("google_colab", "from google.colab import drive"),
    ("kernel_restarts", "print('call exit() or os._exit(0)')  # exit()"),
    ("kernel_restarts", "def exit():\n    pass\nexit()"),
    ("kernel_restarts", "os.kill(child.pid, 9); os.kill(os.getpid(), 0); worker.kill(); window.exit()"),
    ("kernel_restarts", "if not found:\n    sys.exit('no images')"),
    ("downloaded_data", "import torchvision\nclass MNIST:\n    pass\nx = MNIST()"),
    ("downloaded_data", "import torchvision\nx = datasets.CIFAR10('d', True, download=wanted)"),
    ("keras_files", "import keras\nmodel.save('m.h5')\nmodel.save('m.keras')\nmodel.save_weights('m.weights.h5')"),
    ("keras_files", "import keras\nimage_of_model.save('x.png')\nimage.save('y')"),
    ("keras_files", "import tf_keras\nmodel.save_weights('m.h5')"),
]


@pytest.mark.parametrize(("name", "source"), LEFT_ALONE)
def test_a_rule_leaves_alone_what_runs(name: str, source: str) -> None:
    assert applied(name, source) == source


def test_the_arguments_of_keras_1_and_2_become_those_of_keras_3() -> None:
    before = (
        "import keras\n"
        "model.add(Convolution2D(64, 3, 3, border_mode='same', subsample=(2, 2)))\n"
        "model.add(Dense(output_dim=5, init='uniform'))\n"
        "opt = SGD(lr=1e-4, decay=1e-6, momentum=0.9)\n"
        "history = model.fit_generator(generator=gen, samples_per_epoch=2000, nb_epoch=5, workers=4)\n"
        "m = Model(input=a, output=b)\n"
    )
    assert applied("keras_arguments", before) == (
        "import keras\n"
        "model.add(Convolution2D(64, (3, 3), padding='same', strides=(2, 2)))\n"
        "model.add(Dense(units=5, kernel_initializer='uniform'))\n"
        "opt = SGD(learning_rate=1e-4, momentum=0.9)\n"
        "history = model.fit(x=gen, epochs=5)\n"
        "m = Model(inputs=a, outputs=b)\n"
    )


def test_a_notebook_without_keras_keeps_its_arguments() -> None:
    source = "import torch\nopt = torch.optim.SGD(p, lr=0.1)\nsklearn_model.fit(x, workers=2)"
    assert applied("keras_arguments", source) == source
    assert applied("keras_arguments", "opt = torch.optim.Adam(p, lr=0.1)", "import keras") == (
        "opt = torch.optim.Adam(p, lr=0.1)"
    )


def test_the_history_is_read_under_the_name_that_the_model_was_compiled_with() -> None:
    compiled = "model.compile('adam', 'mse', metrics=['accuracy'])"
    assert applied("keras_history", "plt.plot(history.history['val_acc'])", compiled) == (
        "plt.plot(history.history['val_accuracy'])"
    )
    assert applied("keras_history", "h.history['acc']", "model.compile('adam', metrics=['acc'])") == "h.history['acc']"
    assert applied("keras_history", "results['acc']", compiled) == "results['acc']"


def test_without_a_graphics_card_everything_runs_on_the_processor() -> None:
    before = (
        "import torch\n"
        "device = torch.device('cuda:0')\n"
        "other = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n"
        "model = model.to('cuda').cuda()\n"
        "x = torch.zeros(3, device='cuda')\n"
        "print(torch.cuda.is_available())\n"
    )
    assert applied("no_gpu", before) == (
        "import torch\n"
        "device = torch.device('cpu')\n"
        "other = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n"
        "model = model.to('cpu')\n"
        "x = torch.zeros(3, device='cpu')\n"
        "print(torch.cuda.is_available())\n"
    )


@pytest.mark.parametrize(
    ("literal", "there"),
    [
        ("'/content/drive/MyDrive/flowers/train'", "/work/handin/flowers/train"),
        ("'/content/drive/My Drive/flowers'", "/work/handin/flowers"),
        ("'/content/model.h5'", "/work/handin/model.h5"),
        ("'/kaggle/input/cats/train/'", "/work/handin/cats/train/"),
        ("'/Users/jan/Downloads/cats_and_dogs_small'", "/work/handin/Downloads/cats_and_dogs_small"),
        ("'C:\\\\Users\\\\jan\\\\data\\\\train'", "/work/handin/data/train"),
        ("r'D:\\photos\\mug'", "/work/handin/photos/mug"),
        ("'data\\\\train'", "data/train"),
    ],
)
def test_paths_of_another_machine_lead_to_the_notebooks_folder(literal: str, there: str) -> None:
    assert eval(applied("paths", f"path = {literal}").removeprefix("path = ")) == there


def test_a_formatted_path_keeps_its_fields() -> None:
    assert applied("paths", "p = f'/content/{name}/x.jpg'") == "p = f'/work/handin/{name}/x.jpg'"


def test_a_path_leads_to_the_assignments_name_and_to_what_was_handed_in(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "names.json").touch()
    changed = applied(
        "paths",
        "a = '/home/jan/course/week 3/flowers/train/rose'\nb = '/content/drive/MyDrive/x/labels/names.json'",
        names=("flowers/train",),
        here=tmp_path,
    )
    assert changed == f"a = '{tmp_path}/flowers/train/rose'\nb = '{tmp_path}/labels/names.json'"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("%cd /content/drive/MyDrive/tl\n!ls /content", "%cd /work/handin\n!ls /work/handin"),
        ("%cd /content/drive/My Drive/Colab Notebooks", "%cd /work/handin"),
        ('%cd "/content/drive/My Drive/a b"', "%cd /work/handin"),
        ("os.chdir('/content/drive/MyDrive/tl')", "os.chdir('/work/handin')"),
        ("!cp /content/drive/My\\ Drive/a.zip .", "!cp /work/handin/a.zip ."),
        ('!cp "/content/drive/MyDrive/a b.zip" x', '!cp "/work/handin/a b.zip" x'),
        ("!wget https://a.b/content/x", "!wget https://a.b/content/x"),
    ],
)
def test_paths_in_shell_lines_lead_there_too(before: str, after: str) -> None:
    assert applied("paths", before) == after


def test_a_notebook_goes_to_work_in_a_folder_of_the_hand_in(tmp_path: Path) -> None:
    (tmp_path / "tl").mkdir()
    assert applied("paths", "%cd /content/drive/MyDrive/course/tl", here=tmp_path) == f"%cd {tmp_path}/tl"


def test_an_archive_that_is_there_is_unpacked_by_python(tmp_path: Path) -> None:
    (tmp_path / "mine.zip").touch()
    assert applied("archives", "!unzip -q mine.zip -d out", here=tmp_path) == (
        "__import__('shutil').unpack_archive('mine.zip', 'out')"
    )
    assert applied("archives", "!unzip -q /content/drive/MyDrive/mine.zip", here=tmp_path) == (
        "__import__('shutil').unpack_archive('/content/drive/MyDrive/mine.zip')"
    )
    assert noted("archives", "!tar xzf theirs.tgz", tmp_path) == [("archive-not-there", "theirs.tgz")]


def test_packages_that_are_missing_are_named_and_others_are_not() -> None:
    assert noted("pip_install", "!pip install -q --upgrade numpy flimflam==1.0 'foo[bar]>=2' -i https://a.b") == [
        ("package-missing", "flimflam"),
        ("package-missing", "foo"),
    ]
    assert noted("pip_install", "!pip install -r requirements.txt") == []


def test_a_shown_image_goes_into_the_notebook() -> None:
    changed = applied("opencv_windows", "cv2.imshow('window', frame)")
    assert "display" in changed and "cv2" not in changed
    compile(changed, "cell", "exec")


def test_every_rule_is_documented() -> None:
    page = (Path(__file__).parents[4] / "docs" / "notebooks.md").read_text()
    assert [name for name in rules() if f"| `{name}` |" not in page] == []


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_no_rule_raises_whatever_the_cell_holds(source: str) -> None:
    setting = Setting(HERE, (source, "import keras, torch"))
    for name, rule in rules().items():
        assert isinstance(rule.apply(source, setting), str), name


# Cells that are Python by themselves, so that they are together.
PARSED = [
    source
    for source in dict.fromkeys(case[1] for case in (*CHANGES, *LEFT_ALONE))
    if cell_magic(source) is None and not source.startswith(" ") and tree_of(source) is not None
]


def test_most_of_the_examples_are_python_by_themselves() -> None:
    assert len(PARSED) >= 0.7 * len(CHANGES)


@given(st.lists(st.sampled_from(PARSED), min_size=1, max_size=4))
def test_rules_together_leave_python_as_python(sources: list[str]) -> None:
    """Whatever cells are joined: what parsed before parses after, with each rule that ran."""
    source = "\n".join(sources)
    setting = Setting(HERE, (source, "import keras, torch"))
    assert tree_of(source) is not None
    for name, rule in rules().items():
        source = rule.apply(source, setting)
        assert tree_of(source) is not None, name


def test_a_call_that_is_left_out_is_noted() -> None:
    assert noted("kernel_restarts", "os._exit(0)") == [("restart-left-out", "os._exit(0)")]
