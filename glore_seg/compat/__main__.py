"""``python -m glore_seg.compat``: what to paste into a bug report."""

from glore_seg.compat.doctor import doctor

if __name__ == "__main__":
    print(doctor())
