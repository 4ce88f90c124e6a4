"""Checkpoints that are complete or absent, and resuming from the last valid one."""

import logging
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner

from glore_seg.checkpoints.latest import LAST, find_latest_valid_checkpoint
from glore_seg.engine.atomic_backends import NAME, AtomicLocalBackend
from glore_seg.errors import CheckpointError, GloReSegError
from glore_seg.utils.files import remove_unfinished

_KEY = "glore_seg"  # of what this hook keeps in a checkpoint


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` with files that survive a kill at any moment.

    - Checkpoints and ``last_checkpoint`` are written atomically.
    - A checkpoint is removed only after the next one is written. The checkpoint of a stop stays
      until the next regular one. What a kill leaves to remove is removed with the next checkpoint.
    - ``resume=True`` takes the newest valid checkpoint and warns of corrupted ones.

    The arguments are those of ``CheckpointHook``. With ``backend_args`` or ``file_client_args``, or
    an ``out_dir`` such as ``s3://...``, writing and finding are upstream's.

    Raises:
        OutputError: A checkpoint cannot be written; earlier ones are intact.
        CheckpointError: All checkpoints to resume from are corrupted.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        remote = "://" in str(self.out_dir or "")
        self._is_local = not (remote or self.backend_args or self.file_client_args)
        if self._is_local:
            self.backend_args: dict[str, Any] | None = {"backend": NAME}
        self.validated = True
        """Whether the validation that is due at the last checkpoint is done."""
        self._saved_iter = -1
        self._outdated: list[str] = []

    def before_run(self, runner: Runner) -> None:
        """Select the checkpoint to resume from, the same in all processes."""
        if runner._resume and self._is_local and isinstance(runner._train_loop, BaseLoop):
            found: list[Any] = [None, None]
            if is_main_process():
                try:
                    found[0] = self._find(runner)
                except (OSError, GloReSegError) as error:  # the others wait for the answer
                    found[1] = error
            broadcast_object_list(found)
            path, failure = found
            if failure is not None:
                raise failure
            runner._load_from = path or runner.cfg.get("begin_from")  # of use_resume
            runner._resume = path is not None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Load what is left to do."""
        own = checkpoint.get(_KEY, {}) if runner._resume else {}
        self.validated = own.get("validated", True)
        self._outdated = list(own.get("outdated", ()))

    def before_train(self, runner: Runner) -> None:
        """Set up as upstream, and remove temporary files of a killed run."""
        super().before_train(runner)
        if runner._resume:
            self.last_ckpt = runner.message_hub.get_info("last_ckpt", None)
        if self._is_local:
            if is_main_process():
                remove_unfinished(Path(self.out_dir))
            self.file_backend = _PostponingBackend(self._outdated)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Save what is left to do."""
        checkpoint[_KEY] = {"validated": self.validated, "outdated": list(self._outdated)}

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Save the best one."""
        self.validated = True
        super().after_val_epoch(runner, metrics)

    def save_stopped(self, runner: Runner, *, validated: bool) -> str:
        """Save between two iterations, beside the regular checkpoints, and return the path."""
        path = self.last_ckpt if self._saved_iter == runner.iter else None
        if path is not None and not self.validated:
            return path
        self.validated = validated
        if path is None:
            path = str(self.file_backend.join_path(self.out_dir, f"iter_{runner.iter}.pth"))
            if not Path(path).exists():  # a resumed training may find its regular one here
                self._outdated.append(path)  # removed with the next checkpoint
        meta = {"epoch": runner.epoch, "iter": runner.iter}
        self._write(runner, path, meta, by_epoch=False)
        return path

    def _save_checkpoint(self, runner: Runner) -> None:
        self.validated = False
        super()._save_checkpoint(runner)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        if is_accumulating(runner.optim_wrapper):
            _warn(
                "this checkpoint lacks the gradients accumulated so far; choose an interval that "
                "accumulative_counts divides"
            )
        self._saved_iter = meta["iter"]
        if not self._is_local:
            super()._save_checkpoint_with_step(runner, step, meta)
            return
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                self._outdated.append(self._path(self.keep_ckpt_ids.popleft()))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        self.last_ckpt = self._path(step)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        self._write(runner, self.last_ckpt, meta, by_epoch=self.by_epoch)
        self._remove_outdated()

    def _path(self, step: int) -> str:
        return str(self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(step)))

    def _write(self, runner: Runner, path: str, meta: dict[str, Any], *, by_epoch: bool) -> None:
        runner.save_checkpoint(
            self.out_dir,
            Path(path).name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            AtomicLocalBackend().put_text(path, Path(runner.work_dir) / LAST)

    def _remove_outdated(self) -> None:
        best = (
            getattr(self, "best_ckpt_path", None),
            *getattr(self, "best_ckpt_path_dict", {}).values(),
        )
        for path in {*self._outdated} - {self.last_ckpt, *best}:
            # a training that is resumed in another folder leaves the old one unchanged
            if Path(path).parent == Path(self.out_dir) and is_main_process():
                Path(path).unlink(missing_ok=True)
        self._outdated.clear()

    def _find(self, runner: Runner) -> str | None:
        given = runner._load_from
        if given is not None:
            return given  # the loader compares its checksums
        folder = Path(runner.work_dir)
        if self.out_dir is not None:
            folder = Path(self.out_dir) / folder.name
        found = find_latest_valid_checkpoint(folder, (self.filename_tmpl.format("*"), "iter_*.pth"))
        corrupted = "; ".join(found.corrupted)
        if found.path is None and corrupted:
            raise CheckpointError(
                f"all checkpoints in {folder} are corrupted: {corrupted}. Leave --resume out to "
                "start again"
            )
        if found.path is None:
            _warn(f"no checkpoint in {folder} to resume from: the training starts from scratch")
            return None
        if corrupted:
            _warn(f"corrupted: {corrupted}. Resuming from the last valid one, {found.path}")
        return str(found.path)


class _PostponingBackend(AtomicLocalBackend):
    """Notes what upstream removes, until the new file is written."""

    def __init__(self, outdated: list[str]) -> None:
        self._outdated = outdated

    def remove(self, filepath: str | Path) -> None:
        self._outdated.append(str(filepath))


def is_accumulating(wrapper: OptimWrapper) -> bool:
    """Whether gradients have been accumulated since the optimizer's last step."""
    count = getattr(wrapper, "_inner_count", 0)
    return bool(count % getattr(wrapper, "_accumulative_counts", 1))


def _warn(text: str) -> None:
    print_log(text, logger="current", level=logging.WARNING)
