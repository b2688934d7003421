"""Every link of a page leads to a file, and to a heading where it names one; docs/README.md lists
every page of docs/.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def anchors(text):
    """What the headings of a page are called in links, as GitHub makes them."""
    found = set()
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        heading = re.sub(r"[`*]", "", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", heading).replace(" ", "-"))
    return found


def links(text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def problems_of(path, text):
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), place)) if place else path
        if not os.path.exists(target):
            yield f"{os.path.relpath(path, ROOT)}: {link} leads to no file"
        elif anchor and anchor not in anchors(read(target)):
            yield f"{os.path.relpath(path, ROOT)}: {link} leads to no heading"


def pages():
    command = ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "--", "*.md"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [os.path.join(ROOT, name) for name in listed.splitlines()]


def main():
    assert anchors("# A `b`: c, d\n## sub_process\n") == {"a-b-c-d", "sub_process"}
    assert links("[a](b#c) `[d](e)`") == ["b#c"]
    found = [problem for path in pages() if os.path.exists(path)
             for problem in problems_of(path, read(path))]
    index = links(read(os.path.join(ROOT, "docs", "README.md")))
    for name in sorted(os.listdir(os.path.join(ROOT, "docs"))):
        if name.endswith(".md") and name != "README.md" and name not in index:
            found.append(f"docs/README.md does not list {name}")
    print("\n".join(found + [f"{len(pages())} pages, {len(found)} problems"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
