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
CLEAVE = os.environ["CLEAVE"]
DATA = pathlib.Path(os.environ["CLEAVE_TEST_DATA"]) / "models"
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


def make_agent(folder):
    """What stands in for ssh: "agent HOST COMMAND..."."""
    agent = pathlib.Path(folder) / "agent"
    cases = "\n".join(f"  {address}) name={host} ;;" for host, address in HOSTS.items())
    agent.write_text(f"#!/bin/sh\nhost=$1; shift\ncase $host in\n{cases}\n"
                     '  *) echo "ssh: connect to host $host port 22: Connection refused" >&2; exit 255 ;;\nesac\n'
                     'exec ip netns exec "$name" unshare --uts sh -c "hostname $name; $*"\n')
    agent.chmod(0o755)
    return agent


def mpirun(folder, program):
    """The command that runs `program` (shell text) with one process on each host."""
    options = (f"--mca plm_rsh_agent {make_agent(folder)} --mca btl self,vader,tcp -H {','.join(HOSTS.values())} "
               f"-np 2 --map-by node")
    return on_host(next(iter(HOSTS)), f"{MPIRUN} {options} {program}")


def end_processes():
    """Ends what still runs on the hosts; nothing else has ever been started there."""
    for host in HOSTS:
        listed = subprocess.run(["ip", "netns", "pids", host], capture_output=True, text=True, check=False)
        for pid in listed.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def cleave(folder, hosts):
    """`cleave verify --hosts` as the first host's user types it, finished."""
    model = DATA / "llama"
    command = (f"OMPI_MCA_plm_rsh_agent={make_agent(folder)} OMPI_MCA_btl=self,vader,tcp {CLEAVE} verify {model} "
               f"--expected {model}/expected.safetensors --exact --hosts {hosts}")
    return subprocess.run(on_host(next(iter(HOSTS)), command), capture_output=True, text=True, timeout=SECONDS, check=False)


class TwoHosts(unittest.TestCase):
    def test_the_program_starts_its_processes_on_both(self):
        with tempfile.TemporaryDirectory() as folder:
            done = cleave(folder, ",".join(f"{address}:2" for address in HOSTS.values()))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("passed", done.stdout)

    def test_the_program_names_a_host_that_cannot_be_reached(self):
        with tempfile.TemporaryDirectory() as folder:
            done = cleave(folder, f"{next(iter(HOSTS.values()))}:1,10.213.77.9:1")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertRegex(done.stderr, r"^cleave: error: 10\.213\.77\.9 cannot be reached \(ssh: connect to host 10\.213\.77\.9 "
                                      r"port 22: Connection refused\): ")

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
            errors = [pathlib.Path(folder) / str(process) for process in range(2)]
            program = pathlib.Path(folder) / "program"
            program.write_text(f"#!/bin/sh\nexec {FAULTS} sum 1 {folder}\n")
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
                self.assertIn(other, text)
                self.assertIn("stalled: no heartbeat", text)

    def wait_for_errors(self, files):
        end = time.monotonic() + SECONDS
        while not all(file.exists() and "stalled" in file.read_text() for file in files):
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
