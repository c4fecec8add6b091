#!/usr/bin/env python3
"""depeche on a Ray cluster: one task makes the run and writes the outputs, the others work on it.

    python on_ray.py --config /shared/config.toml --workers 40 --keys PGPASSWORD VLLM_API_KEY

All nodes must see config.toml, the input, and the output folder, and have `depeche` in the PATH of Ray.
The script passes the variables after --keys to the tasks: set them where you start the script. Each task
needs a CPU. All tasks end when the run ends.
"""
import argparse
import os
import subprocess
import time

import ray

# 5: a service or the ledger was unavailable. 11: another process had locked the ledger. -9: the
# program was killed. A restart does not help after the other codes.
AGAIN = {5, 11, -9}


# If the node of a task fails, Ray starts the task again on another node. The ledger records what is
# left to do.
@ray.remote(num_cpus=1, max_retries=20)
def depeche(arguments):
    while (code := subprocess.run(["depeche", *arguments], check=False).returncode) in AGAIN:
        time.sleep(5)
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--keys", nargs="*", default=["PGPASSWORD", "OPENAI_API_KEY"], help="environment variables to pass on (default: %(default)s)")
    arguments = parser.parse_args()
    passed = {name: os.environ[name] for name in arguments.keys if name in os.environ}
    ray.init(address="auto", runtime_env={"env_vars": passed})
    config = ["--config", os.path.abspath(arguments.config), "--quiet"]
    run = depeche.remote(["run", *config, "--wait-for", "10m"])
    for _ in range(arguments.workers):
        depeche.remote(["work", *config, "--wait-for", "10m"])
    raise SystemExit(ray.get(run))


if __name__ == "__main__":
    main()
