"""Kill the tools at random moments and compare their results with an undisturbed run, bit for bit.

``python -m benchmarks.kills --kills 30``
"""
