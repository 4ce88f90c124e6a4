import pytest
from mmengine.config import Config

from glore_seg.engine import use_output_dir


@pytest.mark.parametrize("metric", ["CityscapesMetric", "CityscapesScoreMetric"])
def test_a_folder_for_predictions_is_kept(metric):
    cfg = Config({"test_evaluator": {"type": metric}})
    use_output_dir(cfg, "out", format_only=False)
    assert cfg.test_evaluator.output_dir == "out"
    # mmseg's own removes its folder where nobody says otherwise
    assert cfg.test_evaluator.get("keep_results", False) == (metric == "CityscapesMetric")
