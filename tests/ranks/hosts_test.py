"""mpirun over two hosts: network namespaces, each with its own name, addresses and loopback, joined by a virtual cable."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

MPIRUN = os.environ["MPIRUN"]
CONFORMANCE = os.environ["CONFORMANCE"]
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


class TwoHosts(unittest.TestCase):
    def run_over_hosts(self, ranks):
        with tempfile.TemporaryDirectory() as folder:
            # Stands in for ssh: "agent HOST COMMAND...".
            agent = pathlib.Path(folder) / "agent"
            cases = "\n".join(f'  {address}) name={host} ;;' for host, address in HOSTS.items())
            agent.write_text(f'#!/bin/sh\nhost=$1; shift\ncase $host in\n{cases}\nesac\n'
                             'exec ip netns exec "$name" unshare --uts sh -c "hostname $name; $*"\n')
            agent.chmod(0o755)
            first = next(iter(HOSTS))
            options = (f"--mca plm_rsh_agent {agent} --mca btl self,vader,tcp -H {','.join(HOSTS.values())} "
                       f"-np 2 --map-by node")
            return subprocess.run(on_host(first, f"{MPIRUN} {options} {CONFORMANCE} {ranks}"), capture_output=True,
                                  text=True, timeout=SECONDS, check=False)

    def test_processes_of_two_hosts_do_every_collective(self):
        for ranks in ("1,1", "2,1"):
            done = self.run_over_hosts(ranks)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(done.stdout.count("passed"), 2, done.stdout + done.stderr)


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
