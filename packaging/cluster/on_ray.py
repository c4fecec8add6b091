#!/usr/bin/env python3
"""depeche on a Ray cluster: one task makes the run and writes the outputs, the others work on it.

    python on_ray.py --config /shared/config.toml --workers 40

All nodes must see config.toml, the input, and the program. Set PGPASSWORD and the keys of the services
where you start this; they are passed to the tasks.
"""
import argparse
import os
import subprocess

import ray

# A service or the ledger was unavailable, or the program was killed. The other codes are final.
AGAIN = {5, -9}


# Ray must not repeat a task by itself: the ledger knows what is left to do.
@ray.remote(num_cpus=1, max_retries=0)
def depeche(arguments):
    while (code := subprocess.run(["depeche", *arguments], check=False).returncode) in AGAIN:
        pass
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--keys", nargs="*", default=["PGPASSWORD", "OPENAI_API_KEY"], help="environment variables to pass on")
    arguments = parser.parse_args()
    passed = {name: os.environ[name] for name in arguments.keys if name in os.environ}
    ray.init(address="auto", runtime_env={"env_vars": passed})
    config = ["--config", os.path.abspath(arguments.config), "--quiet"]
    run = depeche.remote(["run", *config])
    for _ in range(arguments.workers):
        depeche.remote(["work", *config, "--wait-for", "10m"])
    raise SystemExit(ray.get(run))


if __name__ == "__main__":
    main()
