from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import SafetensorError

from rl_teacher.errors import UserError
from rl_teacher.feedback.arrays import pack_arrays, unpack_arrays
from rl_teacher.feedback.blobs import BlobError, Blobs


def test_what_is_put_comes_back_under_its_sha256(tmp_path: Path):
    blobs = Blobs(tmp_path / "blobs")
    sha = blobs.put(b"hop")
    assert sha == hashlib.sha256(b"hop").hexdigest()
    assert blobs.get(sha) == b"hop"
    assert blobs.has(sha)
    assert not blobs.has("0" * 64)
    assert blobs.path(sha) == tmp_path / "blobs" / sha[:2] / sha[2:4] / sha
    assert blobs.path("0" * 64) is None


def test_putting_twice_writes_once_and_leaves_nothing_temporary(tmp_path: Path):
    blobs = Blobs(tmp_path)
    path = blobs.path(blobs.put(b"hop"))
    assert path is not None
    before = path.stat().st_ino
    blobs.put(b"hop")
    assert path.stat().st_ino == before
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_a_damaged_blob_is_refused(tmp_path: Path):
    blobs = Blobs(tmp_path)
    sha = blobs.put(b"hop")
    path = blobs.path(sha)
    assert path is not None
    path.write_bytes(b"hup")
    with pytest.raises(BlobError, match="damaged"):
        blobs.get(sha)


def test_a_missing_blob_is_named(tmp_path: Path):
    with pytest.raises(BlobError, match="ab" * 32):
        Blobs(tmp_path).get("ab" * 32)


@pytest.mark.parametrize("sha", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "/" * 64, "g" * 64])
def test_only_a_sha256_names_a_blob(tmp_path: Path, sha: str):
    with pytest.raises(BlobError, match="64 hexadecimal"):
        Blobs(tmp_path).get(sha)


def test_any_address_of_fsspec_will_do():
    blobs = Blobs("memory://rl-teacher-test")
    sha = blobs.put(b"hop")
    assert blobs.get(sha) == b"hop"
    assert blobs.path(sha) is None


def test_a_folder_that_cannot_be_made_is_the_users_mistake(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be made"):
        Blobs(tmp_path / "file" / "blobs")


ARRAYS = st.dictionaries(
    st.sampled_from(["obs", "act", "env_rew", "sim"]),
    hnp.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.uint8]), hnp.array_shapes(max_dims=3, max_side=4)),
    min_size=1,
)


@given(ARRAYS)
@settings(max_examples=40, deadline=None)
def test_arrays_come_back_the_same_and_order_does_not_matter(arrays: dict[str, np.ndarray]):
    packed = pack_arrays(arrays)
    assert packed == pack_arrays(dict(reversed(arrays.items())))
    back = unpack_arrays(packed)
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


def test_views_are_packed_as_what_they_show():
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    view = whole[:, ::2]
    view.flags.writeable = False
    np.testing.assert_array_equal(unpack_arrays(pack_arrays({"obs": view}))["obs"], whole[:, ::2])


def test_objects_are_never_packed():
    with pytest.raises(SafetensorError, match="object"):
        pack_arrays({"obs": np.array([object()])})
