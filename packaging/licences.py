#!/usr/bin/python3
"""Prints the licences of the libraries that are part of the program `tracker`: each text once, below whom it is for.

    packaging/licences.py
"""

import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = re.compile(r"^(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)


def libraries():
    """The packages that the program is made of, as cargo describes them, by name and version."""
    host = re.search(r"^host: (.*)$", subprocess.check_output(["rustc", "-vV"], text=True), re.MULTILINE).group(1)
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host]
    metadata = json.loads(subprocess.check_output(command, cwd=ROOT))
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = {
        node["id"]: [
            dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])
        ]
        for node in metadata["resolve"]["nodes"]
    }
    todo = [package["id"] for package in packages.values() if package["name"] == "tracker-bin"]
    seen = set()
    while todo:
        package = todo.pop()
        if package not in seen:
            seen.add(package)
            todo += needs[package]
    # what has no source is the project itself
    found = [packages[package] for package in seen if packages[package]["source"]]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def texts(package):
    """The licence files of a package."""
    folder = os.path.dirname(package["manifest_path"])
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if NAMES.match(name) and os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                yield file.read().replace("\r\n", "\n").strip("\n")


def main():
    by_text = {}
    print("The program tracker is made with these libraries:\n")
    for package in libraries():
        title = f"{package['name']} {package['version']}"
        print(f"    {title}: {package['license'] or 'see its text'}")
        for text in texts(package):
            by_text.setdefault(text, []).append(title)
    for text, titles in by_text.items():
        print(f"\n{'=' * 80}\n{', '.join(titles)}\n{'=' * 80}\n\n{text}")
    return 0 if by_text else 1


if __name__ == "__main__":
    sys.exit(main())
