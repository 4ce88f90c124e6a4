"""Configs of the package as bases of anybody's."""

import pytest
from mmengine.config import Config

from glore_seg import compat
from glore_seg.compat import own_configs
from glore_seg.errors import ConfigError

compat.apply()


def inherit(tmp_path, *names):
    file = tmp_path / "mine.py"
    file.write_text(f"_base_ = {list(names)!r}\nmodel = dict(decode_head=dict(num_units=2))\n")
    return Config.fromfile(file)


@pytest.mark.parametrize(
    "name", ["fcn_r50_glore_cityscapes.py", "showcase/pspnet_r50_glore_cityscapes.py"]
)
def test_is_the_config_itself(tmp_path, name):
    inherited = inherit(tmp_path, f"glore_seg::{name}")
    expected = Config.fromfile(own_configs.CONFIGS / name)
    expected.model.decode_head.num_units = 2
    assert inherited.to_dict() == expected.to_dict()


def test_upstream_names_go_on(tmp_path):
    assert inherit(tmp_path, "mmseg::_base_/models/fcn_r50-d8.py").model.type == "EncoderDecoder"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fcn_r50_glore_cityscape.py", "did you mean 'glore_seg::fcn_r50_glore_cityscapes.py'?"),
        ("../../version.py", "glore_seg has no config '../../version.py'"),
    ],
)
def test_unknown_names(tmp_path, name, message):
    with pytest.raises(ConfigError) as error:
        inherit(tmp_path, f"glore_seg::{name}")
    assert message in str(error.value)
