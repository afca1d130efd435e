# expect: ok; prevented
import os
import pathlib

seen = [
    path
    for path in ("/root/.ssh", "/root/.bashrc", "/home", "/etc/passwd", "/var", "/srv", "/mnt")
    if os.path.exists(path)
]
home = pathlib.Path(os.environ["HOST_SECRET"]).parent
print("ESCAPED" if seen or home.exists() else "prevented")
