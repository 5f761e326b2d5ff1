"""Drives the server with the git helpers of the official Python SDK, unchanged.

They ask the hosted service, whatever the base URL; git itself is told to go elsewhere (insteadOf).
"""

import tempfile
from pathlib import Path

import relace
from relace import Relace

client = Relace(max_retries=0)
folder = Path(tempfile.mkdtemp())


def files_of(repo_id):
    return {file.filename: file.content for file in client.repo.clone(repo_id).files}


listed = [{"filename": "src/main.py", "content": "1\n"}]
repo_id = client.repo.create(source={"type": "files", "files": listed}).repo_id
for number in range(3):
    edit = {"type": "write", "filename": "n", "content": str(number)}
    client.repo.update(repo_id, source={"type": "diff", "operations": [edit]})

tree = folder / "tree"
git = client.git(str(tree))
git.clone(repo_id)
assert (tree / "src/main.py").read_text() == "1\n" and (tree / "n").read_text() == "2"
assert (tree / ".git/shallow").exists(), "a clone is shallow unless something else is asked for"

(tree / "a").write_text("a\n")
(tree / "b").write_text("b\n")
git.add(["a", "b"]).commit("add a and b").push()
assert files_of(repo_id) == {"src/main.py": "1\n", "n": "2", "a": "a\n", "b": "b\n"}

client.repo.file.upload("from/the/api", b"x", repo_id=repo_id)
git.fetch()
git.pull()
assert (tree / "from/the/api").read_text() == "x"
git.pull("main")

git.checkout_branch("feature", new_branch=True)
(tree / "c").write_text("c\n")
git.add().commit("on a branch").push("feature")
assert "c" not in files_of(repo_id), "the API reads the default branch"
git.checkout_branch("main")
git.fetch("feature")
git.command("merge -q --no-edit FETCH_HEAD").push("main")
assert files_of(repo_id)["c"] == "c\n"
git.command("tag v1").command("push -q origin v1")

whole = client.git(str(folder / "whole"))
whole.clone(repo_id, 100, "feature")
assert (folder / "whole/c").exists() and not (folder / "whole/.git/shallow").exists()
print("python sdk git", relace.__version__, "done")
