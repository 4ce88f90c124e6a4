"""Parameters that no loss depends on, named before DDP waits for their gradients."""

from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from glore_seg.errors import ConfigError


def check_first_gradients(runner: Runner) -> None:
    """Look for parameters without a gradient before the optimizer's first step under DDP.

    DDP without ``find_unused_parameters`` fails in the second iteration where there are any.

    Raises:
        ConfigError: From that step; the text names the parameters.
    """
    model, wrapper = runner.model, getattr(runner, "optim_wrapper", None)
    if not isinstance(model, DistributedDataParallel) or not isinstance(wrapper, OptimWrapper):
        return
    if getattr(model, "find_unused_parameters", True) or model.static_graph:
        return
    ignored, named = model.parameters_to_ignore, model.module.named_parameters()
    trained = [(name, p) for name, p in named if p.requires_grad and name not in ignored]

    def check(optimizer: Optimizer, *_: object) -> None:
        unused = [name for name, parameter in trained if parameter.grad is None]
        trained.clear()
        if unused:
            raise ConfigError(
                f"no loss depends on {len(unused)} parameters, such as {', '.join(unused[:3])}; "
                "expected a gradient for each in distributed training: set "
                "find_unused_parameters=True, or remove or freeze these layers"
            )

    wrapper.optimizer.register_step_pre_hook(check)
