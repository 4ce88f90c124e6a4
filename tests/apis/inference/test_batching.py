"""Batches of one key, results in order, a bounded look ahead."""

import random

from glore_seg.apis.inference.batching import in_batches


def test_order_and_batches():
    items = random.Random(0).choices(range(4), k=50)
    batches, read = [], []

    def source():
        for number, item in enumerate(items):
            read.append(number)
            yield number, item

    def run(batch):
        assert len({item for _, item in batch}) == 1
        batches.append(len(batch))
        return [10 * number for number, _ in batch]

    found = []
    for result in in_batches(source(), run, key=lambda entry: entry[1], batch_size=3):
        found.append(result)
        assert len(read) <= len(found) + 2 * 4 * 3
    assert found == [10 * number for number in range(50)]
    assert max(batches) == 3
    assert len(batches) <= 50 / 3 + 4


def test_single_items_are_not_read_ahead():
    source = iter(range(5))
    results = in_batches(source, lambda batch: batch, key=lambda item: item, batch_size=1)
    assert next(results) == 0
    assert next(source) == 1
    assert list(in_batches([], lambda batch: batch, key=id, batch_size=2)) == []
