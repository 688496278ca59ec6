"""Files that have no name any more when they are sent."""

from server.sql.downloads import new_file


def test_a_folder_stays_while_somebody_else_is_about_to_write_there(tmp_path):
    folder = tmp_path / "queries"

    with new_file(folder) as path:
        with new_file(folder):
            pass
        path.write_bytes(b"rows")

        assert path.read_bytes() == b"rows"


def test_nothing_is_left_of_a_file_but_what_is_open(tmp_path):
    folder = tmp_path / "queries"

    with new_file(folder) as path:
        path.write_bytes(b"rows")
        file = path.open("rb")

    with file:
        assert not folder.exists()
        assert file.read() == b"rows"
