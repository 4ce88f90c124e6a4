"""Losses of mmsegmentation on class indices, against their definitions over the valid pixels."""

import pytest
import torch
from torch.nn import functional

import glore_seg  # noqa: F401

losses = pytest.importorskip("mmseg.models.losses")


def case(outputs: int, labels: int):
    generator = torch.Generator().manual_seed(outputs)
    logits = torch.randn(2, outputs, 5, 7, generator=generator)
    target = torch.randint(0, labels, (2, 5, 7), generator=generator)
    target[:, 1:3, 2:] = 255
    return logits, target


def of_class(target: torch.Tensor, outputs: int) -> torch.Tensor:
    """(N, K, H, W), 1.0 where a pixel has the class of an output."""
    classes = torch.arange(outputs) if outputs > 1 else torch.tensor([1])
    return (target[:, None] == classes.view(1, -1, 1, 1)).float()


@pytest.mark.parametrize(("outputs", "labels"), [(1, 2), (3, 3)])
@pytest.mark.parametrize("alpha", [0.5, [0.3]])
def test_focal_loss_is_its_equation(outputs, labels, alpha):
    logits, target = case(outputs, labels)
    alpha = alpha * outputs if isinstance(alpha, list) else alpha
    truth = of_class(target, outputs)
    p = logits.sigmoid()
    p_t = p * truth + (1 - p) * (1 - truth)
    weight = torch.tensor(alpha).view(-1, 1, 1)
    alpha_t = weight * truth + (1 - weight) * (1 - truth)
    expected = -alpha_t * (1 - p_t) ** 2 * p_t.log() * (target != 255)[:, None]
    loss = losses.FocalLoss(alpha=alpha)
    torch.testing.assert_close(loss(logits, target), expected.mean())
    torch.testing.assert_close(loss(logits, target, reduction_override="none"), expected)


def test_focal_loss_with_weights_of_pixels_and_classes():
    logits, target = case(3, 3)
    pixels, classes = torch.rand(target.shape), [1.0, 2.0, 0.5]
    each = losses.FocalLoss()(logits, target, reduction_override="none")
    expected = each * pixels[:, None] * torch.tensor(classes).view(-1, 1, 1)
    found = losses.FocalLoss(class_weight=classes)(logits, target, weight=pixels)
    torch.testing.assert_close(found, expected.mean())


def dice(scores: torch.Tensor, truth: torch.Tensor, naive: bool) -> torch.Tensor:
    """Mean of 1 - Dice over the images; of lists of valid pixels."""
    found = []
    for s, t in zip(scores, truth, strict=True):
        if naive:
            found.append((2 * (s * t).sum() + 1e-3) / (s.sum() + t.sum() + 1e-3))
        else:
            found.append(2 * (s * t).sum() / (s.square().sum() + t.square().sum() + 2e-3))
    return 1 - torch.stack(found).mean()


@pytest.mark.parametrize("naive", [False, True])
@pytest.mark.parametrize("use_sigmoid", [False, True])
def test_dice_loss_is_that_of_the_valid_pixels(naive, use_sigmoid):
    logits, target = case(3, 3)
    scores = logits.sigmoid() if use_sigmoid else logits.softmax(1)
    valid = [label != 255 for label in target]
    kept = [
        [image[:, mask] for image, mask in zip(values, valid, strict=True)]
        for values in (scores, of_class(target, 3))
    ]
    loss = losses.DiceLoss(use_sigmoid=use_sigmoid, naive_dice=naive)
    torch.testing.assert_close(loss(logits, target), dice(*kept, naive))


def test_what_is_predicted_on_ignored_pixels_has_no_gradient():
    logits, target = case(3, 3)
    logits.requires_grad_()
    losses.DiceLoss()(logits, target).backward()
    assert not logits.grad.masked_select((target == 255)[:, None]).any()
    assert logits.grad.masked_select((target != 255)[:, None]).all()


def test_dice_loss_without_ignored_pixels_is_upstreams():
    logits, _ = case(3, 3)
    target = torch.randint(0, 3, (2, 5, 7), generator=torch.Generator().manual_seed(0))
    one_hot = functional.one_hot(target, 3).movedim(-1, 1)  # which goes through upstream's code
    loss = losses.DiceLoss(use_sigmoid=False)
    assert torch.equal(loss(logits, target), loss(logits, one_hot))


def test_one_output_is_for_label_1():
    target = torch.tensor([[[0, 1, 1, 255]]])
    right = torch.tensor([[[[-20.0, 20.0, 20.0, 20.0]]]])
    assert losses.DiceLoss()(right, target) < 1e-3
    assert losses.FocalLoss()(right, target) < 1e-3
