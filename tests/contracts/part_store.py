"""What every store of sealed parts keeps to."""

from pathlib import Path

import pytest

from server.recordings.storage import PartStore

A, B = "a" * 32, "b" * 32


class PartStoreContract:
    """Give `store` as a fixture."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "part.tcr"
        file.write_bytes(bytes(range(256)) * 40)
        file.chmod(0o440)
        return file

    def test_a_part_is_kept_whole_and_read_in_ranges(self, store: PartStore, file: Path) -> None:
        store.put(A, 1, file)
        content = file.read_bytes()
        assert store.size_bytes(A, 1) == len(content)
        assert store.read(A, 1, 0, len(content)) == content
        assert store.read(A, 1, 255, 1000) == content[255:1000]
        assert store.read(A, 1, len(content) - 1, len(content)) == content[-1:]
        assert file.exists()

    def test_a_part_that_is_put_again_replaces_the_one_before(
        self, store: PartStore, file: Path, tmp_path: Path
    ) -> None:
        store.put(A, 1, file)
        longer = tmp_path / "longer"
        longer.write_bytes(b"x" * 20_000)
        store.put(A, 1, longer)
        assert store.size_bytes(A, 1) == 20_000
        assert store.read(A, 1, 19_999, 20_000) == b"x"

    def test_what_is_not_there_is_said_not_to_be(self, store: PartStore) -> None:
        assert store.size_bytes(A, 1) is None
        with pytest.raises(FileNotFoundError):
            store.read(A, 1, 0, 1)
        store.delete(A, 1)

    def test_parts_are_listed_in_order_for_one_recording_and_for_all(
        self, store: PartStore, file: Path
    ) -> None:
        for recording, part in ((B, 1), (A, 10), (A, 2)):
            store.put(recording, part, file)
        size = file.stat().st_size
        assert [(one.part, one.size_bytes) for one in store.parts(A)] == [(2, size), (10, size)]
        assert [(one.recording, one.part) for one in store.parts()] == [(A, 2), (A, 10), (B, 1)]
        assert list(store.parts("c" * 32)) == []

    def test_what_is_deleted_is_gone_and_nothing_else(self, store: PartStore, file: Path) -> None:
        store.put(A, 1, file)
        store.put(A, 2, file)
        store.delete(A, 1)
        assert store.size_bytes(A, 1) is None
        assert [one.part for one in store.parts(A)] == [2]

    def test_a_file_that_is_not_there_is_not_kept(self, store: PartStore, tmp_path: Path) -> None:
        with pytest.raises(OSError):
            store.put(A, 1, tmp_path / "nothing")
        assert store.size_bytes(A, 1) is None
