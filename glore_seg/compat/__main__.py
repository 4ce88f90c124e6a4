"""``python -m glore_seg.compat``: what to paste into a bug report."""

from glore_seg import compat

if __name__ == "__main__":
    compat.apply()
    print(compat.report())
