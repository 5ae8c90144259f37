"""Has the library and a verifier written from docs/licence-format.md judge the same files, and fails when they differ.

    compare.py JUDGE MANY FIRST-SEED     MANY files, made up from FIRST-SEED on, two processes side by side
    compare.py JUDGE --cases FILE        the files on which the two once differed or might, each with the answer that is right
    compare.py JUDGE --control FILE      the same with a verifier that is wrong in one number: a comparison that sees nothing sees nothing here
    compare.py --show SEED NUMBER        the NUMBERth file of a seed, to look at

Needs `cryptography`. Prints `N tried, M harmed`; every difference is shown with seed and number.
"""

import base64
import collections
import json
import multiprocessing
import struct
import subprocess
import sys
import zlib

import strict
import vendor
import verifier

LETTERS = {"licence": b"L", "list": b"C", "chain": b"F", "time": b"T"}
BATCH = 500


class Library:
    """The library's judge at the other end of a pipe."""

    def __init__(self, judge):
        self.process = subprocess.Popen([judge], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, letter, data):
        self.process.stdin.write(letter + struct.pack("<I", len(data)) + data)
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        if self.process.wait(60) != 0:
            sys.exit("the judge ended with an error")


def rings():
    """The host's own keys, and those of lists that retired and revoked some; with what the judge is told to get there."""
    host = verifier.trusted_keys(vendor.TRUSTED)
    one = vendor.sealed(verifier.KEYS, vendor.list_payload(1), ["root-a", "root-b"])
    two = vendor.sealed(verifier.KEYS, vendor.list_payload(2), ["root-a", "root-b"])
    steps, first = verifier.follow(one, host)
    more, second = verifier.follow(two, first)
    assert (steps, more) == (1, 1)
    return [(host, []), (first, [one]), (second, [one, two])]


def ours(kind, data, ring):
    """The other verifier's answer, in the judge's words."""
    try:
        if kind == "licence":
            found = verifier.verify_licence(data, ring, vendor.PRODUCT)
            return found | {"format": 1}
        if kind == "time":
            return verifier.verify_time(data, ring, vendor.PRODUCT, vendor.SERIAL, vendor.CHALLENGE)
        if kind == "chain":
            steps, following = verifier.follow(data, ring)
            return {"steps": steps, "version": following.version}
        how, following = verifier.judge_list(verifier.envelope(data), ring)
        if how != "next":
            return {"is": how}
        keys = [[key.id, key.role, key.status, key.public.hex()] for key in following.keys]
        return {"is": how, "version": following.version, "threshold": following.threshold, "keys": keys}
    except strict.Refused as refused:
        return {"refused": refused.reason}


def theirs(library, kind, data):
    answer = library.ask(LETTERS[kind], data)
    if kind == "licence" and "refused" not in answer:
        # Left out of a payload that has no such files.
        answer.setdefault("fls", [])
    return answer


def set_up(library, lists):
    library.ask(b"K", vendor.TRUSTED.encode())
    for data in lists:
        library.ask(b"A", data)


def compare(job):
    """One seed: how many files, which answers, what differed."""
    judge, seed, many = job
    library, answers, differences = Library(judge), collections.Counter(), []
    ring, lists = rings()[seed % 3]
    set_up(library, lists)
    maker = vendor.Maker(seed)
    for number in range(many):
        kind, data = maker.file()
        mine, other = ours(kind, data, ring), theirs(library, kind, data)
        answers[kind, mine.get("refused") or mine.get("is", "good")] += 1
        if mine != other:
            differences.append((seed, number, kind, mine, other, data[:2_000]))
    library.end()
    return many, answers, differences


# What has to occur among the files, or the comparison would say little.
OCCUR = {
    "licence": "good malformed amount too-large key-revoked key-role signature unknown-key format product",
    "list": "next present older malformed amount sequence signature key-list-fork unknown-key key-role format",
    "chain": "good malformed sequence signature amount",
    "time": "good malformed key-retired key-role product serial clock format signature",
}


def run(judge, many, first):
    jobs = [(judge, first + at // BATCH, min(BATCH, many - at)) for at in range(0, many, BATCH)]
    tried, answers, differences = 0, collections.Counter(), []
    with multiprocessing.Pool(2) as pool:
        for done, told, differ in pool.imap_unordered(compare, jobs):
            tried += done
            answers += told
            differences += differ
    for (kind, answer), count in sorted(answers.items()):
        print(f"{kind:8} {answer:16} {count}")
    for seed, number, kind, mine, other, data in differences[:20]:
        print(f"seed {seed}, number {number}, a {kind}\n  document: {mine}\n  library:  {other}\n  {data!r}")
    print(f"{tried} tried, {len(differences)} harmed")
    missing = [(kind, answer) for kind, words in OCCUR.items() for answer in words.split() if not answers[kind, answer]]
    if tried >= 10_000 and missing:
        sys.exit(f"these answers did not occur: {missing}")


def cases(judge, path):
    with open(path, encoding="utf-8") as file:
        known = json.load(file)
    library, harmed, asked = Library(judge), 0, rings()
    for case in known:
        data = zlib.decompress(base64.b64decode(case["file"]))
        ring, lists = asked[case["ring"]]
        set_up(library, lists)
        mine, other = ours(case["kind"], data, ring), theirs(library, case["kind"], data)
        if mine != other or (mine.get("refused") or mine.get("is", "good")) != case["answer"]:
            harmed += 1
            print(f"{case['name']}: {case['answer']} is right\n  document: {mine}\n  library:  {other}")
    library.end()
    print(f"{len(known)} tried, {harmed} harmed")


def show(seed, number):
    maker = vendor.Maker(seed)
    for _ in range(number + 1):
        kind, data = maker.file()
    print(kind, base64.b64encode(data).decode())


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    if sys.argv[1] == "--show":
        show(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[2] == "--control":
        strict.NESTING = 31
        cases(sys.argv[1], sys.argv[3])
    elif sys.argv[2] == "--cases":
        cases(sys.argv[1], sys.argv[3])
    else:
        run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
