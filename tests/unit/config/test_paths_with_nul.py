"""A path that no kernel takes is an error of the file that states it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rkt.config.errors import ConfigError
from rkt.config.paths_config import load_paths
from rkt.paths import ConfigDirectories


@pytest.mark.parametrize("member", ["data", "stage1-images"])
def test_a_path_with_a_nul_is_refused(tmp_path: Path, member: str) -> None:
    (tmp_path / "paths.d").mkdir()
    (tmp_path / "paths.d/a.json").write_text(f'{{"rktKind":"paths","rktVersion":"v1","{member}":"/a\\u0000b"}}')
    with pytest.raises(ConfigError, match=r"a\.json.*must be an absolute path"):
        load_paths(ConfigDirectories(local=str(tmp_path), system="/nonexistent"))
