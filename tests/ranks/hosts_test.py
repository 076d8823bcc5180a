"""mpirun over two hosts: network namespaces, each with its own name, addresses and loopback, joined by a virtual cable."""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

MPIRUN = os.environ["MPIRUN"]
CONFORMANCE = os.environ["CONFORMANCE"]
FAULTS = os.environ["FAULTS"]
SUFFIX = os.getpid() % 10000
HOSTS = {f"cleave-a{SUFFIX}": "10.213.77.1", f"cleave-b{SUFFIX}": "10.213.77.2"}
SECONDS = 120


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def make_hosts():
    first, second = HOSTS
    for host in HOSTS:
        ip("netns", "add", host)
        ip("-n", host, "link", "set", "lo", "up")
    ip("link", "add", "cable0", "netns", first, "type", "veth", "peer", "name", "cable0", "netns", second)
    for host, address in HOSTS.items():
        ip("-n", host, "address", "add", f"{address}/24", "dev", "cable0")
        ip("-n", host, "link", "set", "cable0", "up")


def remove_hosts():
    for host in HOSTS:
        subprocess.run(["ip", "netns", "delete", host], capture_output=True, check=False)


def on_host(host, command):
    """`command` (shell text) as it would run on that host."""
    return ["ip", "netns", "exec", host, "unshare", "--uts", "sh", "-c", f"hostname {host}; {command}"]


def mpirun(folder, program):
    """The command that runs `program` (shell text) with one process on each host."""
    # Stands in for ssh: "agent HOST COMMAND...".
    agent = pathlib.Path(folder) / "agent"
    cases = "\n".join(f"  {address}) name={host} ;;" for host, address in HOSTS.items())
    agent.write_text(f"#!/bin/sh\nhost=$1; shift\ncase $host in\n{cases}\nesac\n"
                     'exec ip netns exec "$name" unshare --uts sh -c "hostname $name; $*"\n')
    agent.chmod(0o755)
    options = (f"--mca plm_rsh_agent {agent} --mca btl self,vader,tcp -H {','.join(HOSTS.values())} "
               f"-np 2 --map-by node")
    return on_host(next(iter(HOSTS)), f"{MPIRUN} {options} {program}")


def end_processes():
    """Ends what still runs on the hosts; nothing else has ever been started there."""
    for host in HOSTS:
        listed = subprocess.run(["ip", "netns", "pids", host], capture_output=True, text=True, check=False)
        for pid in listed.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


class TwoHosts(unittest.TestCase):
    def test_processes_of_two_hosts_do_every_collective(self):
        for ranks in ("1,1", "2,1"):
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(mpirun(folder, f"{CONFORMANCE} {ranks}"), capture_output=True, text=True,
                                      timeout=SECONDS, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(done.stdout.count("passed"), 2, done.stdout + done.stderr)

    def test_either_side_of_a_cut_cable_names_the_other(self):
        with tempfile.TemporaryDirectory() as folder:
            # Into files: mpirun's own connections are cut as well.
            errors = [pathlib.Path(folder) / f"errors.{process}" for process in range(2)]
            program = pathlib.Path(folder) / "program"
            program.write_text(f"#!/bin/sh\nexec {FAULTS} sum 2>{folder}/errors.$OMPI_COMM_WORLD_RANK\n")
            program.chmod(0o755)
            with subprocess.Popen(mpirun(folder, program), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True) as job:
                for _ in range(2):
                    self.assertTrue(job.stdout.readline().startswith("ready "))
                ip("-n", next(iter(HOSTS)), "link", "set", "cable0", "down")
                try:
                    self.wait_for_errors(errors)
                finally:
                    end_processes()
                    ip("-n", next(iter(HOSTS)), "link", "set", "cable0", "up")
            for process, other in enumerate(("rank 1 (host cleave-b", "rank 0 (host cleave-a")):
                text = errors[process].read_text()
                self.assertIn(f"error: {other}", text)
                self.assertIn("stalled: no heartbeat", text)

    def wait_for_errors(self, files):
        end = time.monotonic() + SECONDS
        while not all(file.exists() and "error: " in file.read_text() for file in files):
            self.assertLess(time.monotonic(), end, "not every process has named another")
            time.sleep(0.1)


if __name__ == "__main__":
    try:
        make_hosts()
    except (OSError, subprocess.CalledProcessError) as error:
        remove_hosts()
        print(f"skipped: this machine allows no network namespaces ({error})", file=sys.stderr)
        sys.exit(77)
    try:
        unittest.main()
    finally:
        remove_hosts()
