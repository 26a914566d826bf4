"""sd-backend-client, unmodified, at a door with --transparent: what its users do. It takes nothing but 200, and asks first
whether the server is idle. Prints a line for each thing that went as it should."""

import sys
import time

from sd_backend_client import (
    DiffusionParams, GenerationError, GenerationStatus, connect_to_backend,
)

backend = connect_to_backend(sys.argv[1])


def check(name, what, seen=""):
    if not what:
        sys.exit(f"{name} is not as it should be: {seen}")
    print(name, file=sys.stderr, flush=True)


def params(**more):
    return DiffusionParams(**{"prompt": "a cat", "steps": 1, "width": 64, "height": 64, **more})


check("connect_to_backend", type(backend).__name__ == "A1111Webservice", backend)
drawn = backend.submit_txt2img(params(seed=7, batch_size=2)).wait(timeout=3600)
check("txt2img", [i.size for i in drawn.images] == [(64, 64)] * 2 and drawn.seeds == [7, 8], drawn)
redrawn = backend.submit_img2img(params(seed=8, init_images=[drawn.images[0]])).wait(timeout=3600)
check("img2img", [i.size for i in redrawn.images] == [(64, 64)] and redrawn.seed == 8, redrawn)
large = backend.submit_upscale(drawn.images[0], 128, 128).wait(timeout=3600)
check("upscale", [i.size for i in large.images] == [(128, 128)], large.images)
check("samplers", any("euler" in repr(option).lower() for option in backend.list_samplers()), backend.list_samplers())
backend.set_config({"CLIP_stop_at_last_layers": 2})
check("options", backend.get_config()["CLIP_stop_at_last_layers"] == 2)
backend.set_config({"CLIP_stop_at_last_layers": 1})

slow = backend.submit_txt2img(params(steps=150, seed=9))
end = time.monotonic() + 3600
while not (slow.poll().progress or 0) > 0:
    if time.monotonic() > end:
        sys.exit(f"no progress: {slow.poll()}")
    time.sleep(0.02)
check("progress", slow.poll().status is GenerationStatus.ACTIVE)
check("cancel", slow.cancel())
try:
    sys.exit(f"it was cancelled, and gave {slow.wait(timeout=3600)}")
except GenerationError as error:
    check("cancelled", error.status is GenerationStatus.CANCELLED, error)
