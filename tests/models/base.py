"""What every model of ours must pass; a model's own test gives `build` and what it expects."""

import copy

import torch
from mmcv.cnn import fuse_conv_bn
from torch import Tensor, nn


class ModelTests:
    """Subclasses define :meth:`build` and :meth:`run`; pytest collects those alone."""

    in_channels = 3
    sizes = ((1, 33, 47), (2, 64, 64))  # batch, height, width
    strides: tuple[int, ...] = ()  # of the outputs

    def build(self) -> nn.Module:
        raise NotImplementedError

    def run(self, model: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
        out = model(x)
        return tuple(out) if isinstance(out, (tuple, list)) else (out,)

    def model(self, *, training: bool = False) -> nn.Module:
        """The model with every parameter and statistic random, so that nothing is the identity."""
        torch.manual_seed(0)
        model = self.build()
        model.train(training)  # mmseg's ResNet returns nothing from it
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                nn.init.normal_(module.running_mean, std=0.1)
        return model

    def input(self, batch: int, height: int, width: int) -> Tensor:
        return torch.randn(batch, self.in_channels, height, width)

    def test_shapes_and_gradients(self):
        for batch, height, width in self.sizes:
            # One image of few positions is a test for evaluation.
            model = self.model(training=batch > 1)
            x = self.input(batch, height, width).requires_grad_()
            outs = self.run(model, x)
            for out, stride in zip(outs, self.strides, strict=True):
                assert out.shape[0] == batch
                assert out.shape[2:] == (-(-height // stride), -(-width // stride))
            sum(out.square().mean() for out in outs).backward()
            used = [p.grad for p in (x, *model.parameters()) if p.grad is not None]
            assert len(used) == 1 + len(list(model.parameters()))
            assert all(g.isfinite().all() for g in used)

    def test_memory_formats_agree(self):
        model = self.model()
        x = self.input(*self.sizes[1])
        expected = self.run(model, x)
        model = model.to(memory_format=torch.channels_last)
        for got, wanted in zip(
            self.run(model, x.to(memory_format=torch.channels_last)), expected, strict=True
        ):
            torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)

    def test_fuse_conv_bn_agrees(self):
        model = self.model()
        x = self.input(*self.sizes[0])
        fused = fuse_conv_bn(copy.deepcopy(model))
        for got, wanted in zip(self.run(fused, x), self.run(model, x), strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
