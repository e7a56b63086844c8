"""`runtime.unassign()` gives Colab's machine back; here it does nothing, and says so."""


def unassign():
    print("The runtime stays: there is none of Colab's here.")
