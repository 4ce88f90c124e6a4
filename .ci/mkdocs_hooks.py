"""Add the API reference and the pages outside docs/ to the site, and point links at them."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "report_a_vulnerability.md",
    "configs/README.md": "configs.md",
    "data/README.md": "data.md",
    "projects/synthetic_data/README.md": "synthetic_data.md",
    "projects/reproduction/README.md": "reproduction.md",
    "projects/web_demo/README.md": "web_demo_project.md",
}
API = {
    "layers": (
        "Layers",
        "layers.glore_unit.GloReUnit",
        "layers.graph_conv.GraphConv",
        "layers.nonlocal_block.NonLocalBlock",
        "layers.preact.network.PreActNet",
        "layers.preact.network.PreActClassifier",
        "layers.video_resnet.VideoResNet",
    ),
    "models": (
        "Models",
        "models.decode_heads.glore_head.GloReHead",
        "models.necks.glore_neck.GloReNeck",
        "models.backbones.glore_resnet.GloReResNet",
        "models.backbones.glore_preact_net.GloRePreActNet",
        "models.backbones.glore_video_resnet.GloReVideoResNet",
        "models.plugins.glore_unit.GloRePlugin",
        "models.segmentors.seg_tta.AccumulatingSegTTAModel",
    ),
    "engine": (
        "Training",
        "engine.runner.build_runner",
        "engine.runner.build_model",
        "engine.loops.ResumableIterLoop",
        "engine.loops.ResumableEpochLoop",
        "engine.per_sample_seed_dataset.PerSampleSeedDataset",
        "engine.nonfinite_loss.NonFiniteLossCheck",
        "engine.hooks.atomic_checkpoint_hook.AtomicCheckpointHook",
        "engine.hooks.setup_check_hook.SetupCheckHook",
        "engine.hooks.peer_heartbeat_hook.PeerHeartbeatHook",
        "engine.hooks.progress_bar_hook.ProgressBarHook",
        "engine.optim_wrappers.BFloat16OptimWrapper",
    ),
    "datasets": (
        "Datasets",
        "datasets.checked_cityscapes.CheckedCityscapesDataset",
        "datasets.transforms.loading.LoadCheckedAnnotations",
        "datasets.transforms.load_random_crop.LoadRandomResizeCropFlip",
        "datasets.transforms.photometric.FastPhotoMetricDistortion",
        "datasets.transforms.pack_inputs.FastPackSegInputs",
        "datasets.transforms.test_time_aug.LazyTestTimeAug",
        "datasets.label_checks.LabelFormat",
        "datasets.packed.writer.pack_dataset",
        "datasets.cityscapes.check_cityscapes",
        "datasets.cityscapes.make_train_ids",
        "datasets.camvid.convert_camvid",
    ),
    "evaluation": (
        "Evaluation",
        "evaluation.metrics.cityscapes_score_metric.CityscapesScoreMetric",
        "evaluation.cityscapes_scores.CityscapesScorer",
        "evaluation.cityscapes_scores.CityscapesScores",
        "evaluation.submission.writer.SubmissionWriter",
        "evaluation.submission.checker.check_submission",
        "evaluation.class_balance.ClassBalance",
    ),
    "apis": (
        "Prediction and tools",
        "apis.config.load_config",
        "apis.model.load_model",
        "apis.inference.segmenter.Segmenter",
        "apis.inference.segmenter.Segmentation",
        "apis.predictor.Predictor",
        "apis.submission.submit",
        "apis.test_options.use_tta",
        "apis.complexity.count_complexity",
        "apis.export.export_model",
        "apis.hub",
    ),
    "checkpoints": (
        "Checkpoints and export",
        "checkpoints.files.read_state_dict",
        "checkpoints.converters.convert",
        "checkpoints.comparison.compare_state_dicts",
        "checkpoints.latest.find_latest_valid_checkpoint",
        "export.contract.Contract",
    ),
    "errors": (
        "Errors and compatibility",
        "errors",
        "compat",
    ),
}
"""Pages of the API reference: title, and objects below glore_seg."""

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def on_files(files, config):
    """Add the pages of :data:`PAGES` and :data:`API`."""
    for name, (title, *objects) in API.items():
        text = "\n\n".join([f"# {title}", *(f"::: glore_seg.{path}" for path in objects)])
        files.append(File.generated(config, f"api/{name}.md", content=text))
    for source, name in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=_with_links(text, ROOT / source)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Point links of the pages in docs/ at the pages that were added."""
    source = Path(config["docs_dir"]) / page.file.src_uri
    return _with_links(markdown, source) if source.is_file() else markdown


def _with_links(text: str, source: Path) -> str:
    def new(found: re.Match) -> str:
        target = (source.parent / found[2]).resolve()
        if not target.is_relative_to(ROOT):
            return found[0]
        name = target.relative_to(ROOT).as_posix()
        page = PAGES.get(name, name.removeprefix("docs/"))
        if not page.endswith(".md"):
            return found[1]  # a file of the repository that is not on the site
        if source.parent == ROOT / "docs" and name.startswith("docs/"):
            return found[0]
        return f"[{found[1]}]({page}{found[3] or ''})"

    text = _LINK.sub(new, text)
    return text.replace("](docs/images/", "](images/") if source.parent == ROOT else text
