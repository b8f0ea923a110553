"""Lists the public items of the library crates, one file per crate in docs/api, from the source.

What the feature `unstable` makes public is left out. An item is listed when it is `pub` and its module is public, or when a `pub use` of a public module names it (or `*`).
Fields, variants and methods belong to their type. `python3 .ci/api.py` fails when the committed lists are not current;
`python3 .ci/api.py --update` writes them.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
STABLE = {}
CRATES = ["maliu-core", "maliu-aac", "maliu-mpa", "maliu-decode", "maliu", "maliu-relay"]
KINDS = r"(?:const fn|async fn|fn|struct|enum|trait|const|static|type|union)"
ITEM = re.compile(rf"^pub (?P<kind>{KINDS}) (?P<name>\w+)")
MEMBER = re.compile(rf"^    (?:pub (?P<kind>{KINDS}) (?P<name>\w+)|pub (?P<field>\w+): |(?P<method>(?:async )?fn \w+)"
                    rf"|(?P<variant>[A-Z]\w*)(?:[,({{ ]|$))")
IMPL = re.compile(r"^impl (?:(?P<of>.+) for )?(?:\w+::)*(?P<type>\w+)")


def text_of(path):
    """The source without its tests, comments and attributes."""
    text = path.read_text()
    text = re.split(r"^#\[cfg\(test\)\]\nmod \w+ \{", text, flags=re.M)[0]
    text = re.sub(r'^#\[cfg\(feature = "unstable"\)\]\n.*\n', "", text, flags=re.M)
    return [line for line in text.split("\n") if not re.match(r"\s*(//|#!?\[)", line)]


def without_generics(line):
    """`impl<…> A for B` without the parameters behind `impl`."""
    if not line.startswith("impl<"):
        return line
    depth = 0
    for at in range(len("impl"), len(line)):
        depth += (line[at] == "<") - (line[at] == ">" and line[at - 1] != "-")
        if depth == 0:
            return "impl" + line[at + 1:]
    return line


def statement(lines, at):
    """The declaration that begins at a line, up to its body, on one line."""
    found = []
    for line in lines[at:at + 30]:
        found.append(line.strip())
        if re.search(r"[{;]\s*(?:.*\})?$", line) or line.endswith(",") and line.startswith("    ") and len(found) == 1:
            break
    return re.sub(r"\s*(\{.*|;|,)$", "", " ".join(found)).replace("( ", "(").replace(", )", ")")


def stable(source):
    """What inline modules of a crate's `codec.rs` name: names by path of their module."""
    path, found = source.with_name("codec.rs"), {}
    if path.exists():
        for use in re.findall(r"^    pub use crate::([\w:]+)::\{([^}]*)\}", "\n".join(text_of(path)), flags=re.M):
            found[use[0]] = set(re.findall(r"\w+", use[1]))
    return found


def modules(path, name, public):
    """Every module of a file and below: its name, its lines, whether it is public, and what is named out of it."""
    lines = text_of(path)
    yield name, lines, public
    folder = path.parent if path.name in ("lib.rs", "mod.rs") else path.with_suffix("")
    named = exported(lines)
    for line in lines:
        if not (met := re.match(r"^(pub )?mod (\w+);", line)):
            continue
        below = next((p for p in (folder / f"{met[2]}.rs", folder / met[2] / "mod.rs") if p.exists()), None)
        if below is None or below.name == "tests.rs":
            continue
        inner = public if met[1] else (named.get(met[2], set()) if public else False)
        facade = STABLE.get(f"{name}::{met[2]}".partition("::")[2])
        if facade:
            inner = facade
        elif public is not True and isinstance(public, set):
            inner = named.get(met[2], set()) & public if named.get(met[2]) != {"*"} else public
        yield from modules(below, f"{name}::{met[2]}", inner)


def exported(lines):
    """What `pub use child::…` names, by child."""
    found = {}
    for use in re.findall(r"^pub use (?:self::)?(\w+)::([^;]*);", "\n".join(lines), flags=re.M):
        names = set(re.findall(r"\*|\w+", re.sub(r"\b\w+ as ", "", use[1]) + " " + use[1]))
        found.setdefault(use[0], set()).update({"*"} if "*" in names else names)
    return found


def shown(name, public):
    return public is True or isinstance(public, set) and (name in public or "*" in public)


def listing(crate):
    """The lines of one crate."""
    source = ROOT / "crates" / crate / "src/lib.rs"
    STABLE.clear()
    STABLE.update(stable(source))
    every = list(modules(source, crate.replace("-", "_"), True))
    types, out = set(), set()
    for name, lines, public in every:
        types.update(m["name"] for line in lines if (m := ITEM.match(line)) and shown(m["name"], public))
    for name, lines, public in every:
        name = re.sub(r"::syntax::(\w+).*", r"::codec::\1", name)
        owner = kind = None
        for at, line in enumerate(lines):
            if line and not line.startswith((" ", "}", ")")):
                owner = None
            if item := ITEM.match(line):
                if shown(item["name"], public):
                    out.add(f"{name}: {statement(lines, at)}")
                    owner, kind = item["name"], item["kind"]
            elif met := IMPL.match(without_generics(line)):
                if met["type"] in types:
                    if met["of"]:
                        out.add(f"{name}: {statement(lines, at)}")
                    else:
                        owner, kind = met["type"], "impl"
            elif owner and (member := MEMBER.match(line)):
                wanted = {"struct": member["field"], "impl": member["name"] or member["kind"], "enum": member["variant"],
                          "trait": member["method"]}.get(kind)
                if wanted:
                    out.add(f"{name}: {owner}: {statement(lines, at)}")
    return "".join(f"{line}\n" for line in sorted(out))


def main():
    stale = []
    for crate in CRATES:
        path, now = ROOT / "docs/api" / f"{crate}.txt", listing(crate)
        if "--update" in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(now)
        elif not path.exists() or path.read_text() != now:
            stale.append(str(path.relative_to(ROOT)))
    if stale:
        sys.exit(f"the public items have changed; run .ci/api.py --update and commit: {', '.join(stale)}")


if __name__ == "__main__":
    main()
