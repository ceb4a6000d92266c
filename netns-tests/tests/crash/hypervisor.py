#!/usr/bin/python3
"""A hypervisor that is a file, asked as docs/driver.md says. It answers late, twice or never, as the file `habit` beside it says.

late   makes the machine when whoever asked may have died, and answers later still
twice  makes two machines of a worker's first launch
never  makes the machine and says nothing; ends one, and dies the first time before it has said so
"""

import fcntl
import json
import os
import select
import sqlite3
import sys
import time

HOME = os.path.dirname(os.path.abspath(__file__))
DATABASE = "file:/var/lib/landbridge/landbridge.db?mode=ro"


def machines(change=lambda machines: machines):
    """The machines, after this change. One program at a time."""
    with open(f"{HOME}/machines", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        changed = change(json.loads(file.read() or "[]"))
        file.truncate(0)
        json.dump(changed, file)
        return changed


def is_recorded(launch):
    """Whether the front-end has written down, before this, that it asks."""
    asked = "SELECT count(*) FROM machine WHERE worker = ? AND attempt = ? AND asked IS NOT NULL"
    with sqlite3.connect(DATABASE, uri=True, timeout=20) as database:
        return database.execute(asked, (launch["worker_id"], launch["attempt"])).fetchone()[0] == 1


def made_of(launch):
    return [machine for machine in machines() if machine["launch"] == launch]


def make(launch, count):
    def add(machines):
        if any(machine["launch"] == launch for machine in machines):
            return machines
        ids = (f"{launch['name']}.{n}" for n in range(count))
        return machines + [{"id": id, "launch": launch, "state": "running"} for id in ids]

    return [machine for machine in machines(add) if machine["launch"] == launch][0]


def end(launch):
    machines(lambda machines: [machine for machine in machines if machine["launch"] != launch])


def say_nothing():
    """Until nobody listens any more."""
    listener = select.poll()
    listener.register(sys.stdout, 0)
    listener.poll()
    sys.exit(1)


def provision(launch, habit):
    if not is_recorded(launch):
        with open(f"{HOME}/unrecorded", "a") as file:
            print(launch["name"], file=file)
    if habit == "late":
        time.sleep(0.3)
    machine = make(launch, 2 if habit == "twice" and launch["attempt"] == 1 else 1)
    if habit == "late":
        time.sleep(0.3)
    if habit == "never":
        say_nothing()
    return machine


def destroy(launch, habit):
    if habit == "late":
        time.sleep(0.3)
    was_there = made_of(launch)
    end(launch)
    if habit == "never" and was_there:
        sys.exit(1)
    return {}


def answer(operation, request):
    with open(f"{HOME}/habit") as file:
        habit = file.read().strip()
    launch = request.get("launch")
    if operation == "offer":
        return {"cpu": 800, "memory_mib": 8192, "description": "a file"}
    if operation == "list":
        return {"machines": machines(), "leftovers": []}
    if operation == "provision":
        return provision(launch, habit)
    if operation == "destroy":
        return destroy(launch, habit)
    return {"console": None}


print(json.dumps(answer(sys.argv[1], json.load(sys.stdin))))
