"""Checkpoints that are whole or not there, and a training that goes on from the last good one."""

import logging
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner

from glore_seg.checkpoints.latest import LAST, corruption_reason, find_latest_valid_checkpoint
from glore_seg.engine.atomic_local_backend import NAME, AtomicLocalBackend
from glore_seg.errors import ConfigError
from glore_seg.utils.files import atomic_write, remove_unfinished

_OWN = "glore_seg"  # key of what this hook keeps in a checkpoint


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's hook, with files that survive a kill at any moment.

    - All files are written aside and renamed, ``last_checkpoint`` too; checkpoints are synced and
      read back before.
    - A checkpoint is removed only after the next has been written: one that is whole is always
      there. That of a stop stays until the next that a training can go on from, which the best one
      is not. What a kill leaves to remove is removed with the next checkpoint.
    - ``resume=True`` takes the newest checkpoint that is whole, and says which are not.

    The arguments are those of ``CheckpointHook``. With ``backend_args`` or ``file_client_args`` of
    your own, or an ``out_dir`` such as ``s3://...``, writing and finding are the host's.

    Raises:
        OSError: A checkpoint cannot be written; those before it are whole.
        ConfigError: There are checkpoints to go on from, but none is whole; ``save_best`` is no
            score of the validation.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        is_remote = "://" in str(self.out_dir or "")
        is_own = self.backend_args is not None or self.file_client_args is not None
        self._is_local = not (is_remote or is_own)
        if self._is_local:
            self.backend_args: dict[str, Any] | None = {"backend": NAME}
        self.validated = True
        """Whether the validation that is due at the last checkpoint has been done."""
        self._saved_iter = -1
        self._outdated: list[str] = []

    def before_run(self, runner: Runner) -> None:
        """Pick the checkpoint to go on from."""
        if runner._resume and self._is_local and isinstance(runner._train_loop, BaseLoop):
            found: list[Any] = [None, None]
            if is_main_process():
                try:
                    found[0] = self._find(runner)
                except ValueError as error:
                    found[1] = str(error)
            broadcast_object_list(found)
            if found[1]:
                raise ConfigError(found[1])
            runner._load_from = found[0] or runner.cfg.get("begin_from")  # of use_resume
            runner._resume = found[0] is not None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take up what was left to do."""
        own = checkpoint.get(_OWN, {}) if runner._resume else {}
        self.validated = own.get("validated", True)
        self._outdated = [str(path) for path in own.get("outdated", ())]

    def before_train(self, runner: Runner) -> None:
        """Set up as the host does, and clear away what a killed run left half-written."""
        super().before_train(runner)
        if runner._resume:
            self.last_ckpt = runner.message_hub.get_info("last_ckpt", None)
        if self._is_local:
            if is_main_process():
                remove_unfinished(Path(self.out_dir))
            self.file_backend = _Postponing(self._outdated)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add what is left to do."""
        checkpoint[_OWN] = {"validated": self.validated, "outdated": list(self._outdated)}

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Save the best one."""
        self.validated = True
        super().after_val_epoch(runner, metrics)

    def save_stopped(self, runner: Runner, *, validated: bool) -> str:
        """Save between two iterations, beside the checkpoints that stay.

        Args:
            runner: Its loop has counted the last iteration.
            validated: Whether no validation is due.

        Returns:
            The file.
        """
        if self._saved_iter == runner.iter and self.last_ckpt is not None:
            return self.last_ckpt
        self.validated = validated
        name = f"iter_{runner.iter}.pth"
        path = self.file_backend.join_path(self.out_dir, name)
        self._outdated.append(path)  # goes with the next checkpoint
        meta = {"epoch": runner.epoch, "iter": runner.iter}
        return self._write(runner, name, meta, by_epoch=False)

    def _save_checkpoint(self, runner: Runner) -> None:
        self.validated = False
        super()._save_checkpoint(runner)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        wanted = self.key_indicators if self.save_best else ()
        unknown = [key for key in wanted if key not in (*metrics, "auto")]
        if unknown:
            raise ConfigError(
                f"save_best is {unknown[0]!r}, which is none of the scores; expected one of "
                f"{', '.join(metrics)}: set default_hooks.checkpoint.save_best, and go on with "
                "--resume"
            )
        super()._save_best_checkpoint(runner, metrics)
        if self._is_local:
            # What a stop left stays until the next that a training can go on from.
            self._remove_outdated("best_")

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        _warn_of_lost_gradients(runner)
        self._saved_iter = meta["iter"]
        if not self._is_local:
            super()._save_checkpoint_with_step(runner, step, meta)
            return
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                name = self.filename_tmpl.format(self.keep_ckpt_ids.popleft())
                self._outdated.append(self.file_backend.join_path(self.out_dir, name))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        self._write(runner, name, meta, by_epoch=self.by_epoch)
        self._remove_outdated()

    def _write(self, runner: Runner, name: str, meta: dict[str, Any], *, by_epoch: bool) -> str:
        path = str(self.file_backend.join_path(self.out_dir, name))
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            # not synced: without it the time of writing tells which is the last
            with atomic_write(Path(runner.work_dir) / LAST) as aside:
                aside.write_text(path, encoding="utf-8")
        return path

    def _remove_outdated(self, prefix: str = "") -> None:
        """Remove what newer checkpoints replace, of names with a prefix; these are on the disk."""
        ids = getattr(self, "keep_ckpt_ids", ())
        names = {self.filename_tmpl.format(step) for step in ids}
        names |= {Path(path).name for path in (self.last_ckpt, *_best_of(self)) if path}
        folder = Path(self.out_dir).resolve()
        outdated = [path for path in self._outdated if Path(path).name.startswith(prefix)]
        for path in map(Path, outdated):
            # a training that goes on from another folder leaves that as it is
            is_here = path.parent.resolve() == folder
            if is_here and path.name not in names and is_main_process():
                path.unlink(missing_ok=True)
        self._outdated[:] = [path for path in self._outdated if path not in outdated]

    def _find(self, runner: Runner) -> str | None:
        given = runner._load_from
        if given is not None:
            reason = corruption_reason(Path(given)) if Path(given).is_file() else None
            if reason is not None:
                raise ConfigError(
                    f"{given} is damaged ({reason}); give another checkpoint to --resume, or none "
                    "to take the last good one of the work folder"
                )
            return given
        folder = Path(runner.work_dir)
        if self.out_dir is not None:
            folder = Path(self.out_dir) / folder.name
        search = find_latest_valid_checkpoint(
            folder, (self.filename_tmpl.format("*"), "iter_*.pth")
        )
        if search.good is None and search.damaged:
            raise ConfigError(
                f"no checkpoint in {folder} is whole: {'; '.join(search.damaged)}. Leave --resume "
                "out to begin anew"
            )
        if search.good is None:
            _warn(f"no checkpoint in {folder} to go on from: the training begins anew")
            return None
        for damaged in search.damaged:
            _warn(f"{damaged} is damaged; going on from the last good one, {search.good}")
        return str(search.good)


class _Postponing(AtomicLocalBackend):
    """Notes what the host removes, until the new file is there."""

    def __init__(self, noted: list[str]) -> None:
        self._noted = noted

    def remove(self, filepath: str | Path) -> None:
        self._noted.append(str(filepath))


def _best_of(hook: CheckpointHook) -> list[str | None]:
    one = getattr(hook, "best_ckpt_path", None)
    return [one, *getattr(hook, "best_ckpt_path_dict", {}).values()]


def _warn_of_lost_gradients(runner: Runner) -> None:
    wrapper = runner.optim_wrapper
    every = getattr(wrapper, "_accumulative_counts", 1)
    if getattr(wrapper, "_inner_count", 0) % every:
        _warn(
            f"this checkpoint stands between two steps of the optimizer (accumulative_counts is "
            f"{every}) and lacks the gradients so far; choose an interval that {every} divides"
        )


def _warn(text: str) -> None:
    print_log(text, logger="current", level=logging.WARNING)
