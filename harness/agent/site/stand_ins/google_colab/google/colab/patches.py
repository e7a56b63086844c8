"""Shows images in the notebook."""


def cv2_imshow(a):
    from IPython.display import display
    from PIL import Image

    a = a.clip(0, 255).astype("uint8")
    display(Image.fromarray(a[..., ::-1] if a.ndim == 3 and a.shape[2] == 3 else a))
