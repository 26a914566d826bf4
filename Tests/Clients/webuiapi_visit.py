"""webuiapi, unmodified, at the door: what its users do. Prints a line for each thing that went as it should."""

import sys
import threading
import time

import webuiapi

api = webuiapi.WebUIApi(baseurl=f"{sys.argv[1]}/sdapi/v1", steps=1)
small = {"width": 64, "height": 64}


def check(name, what, seen=""):
    if not what:
        sys.exit(f"{name} is not as it should be: {seen}")
    print(name, file=sys.stderr, flush=True)


def is_seen(sign):
    end = time.monotonic() + 3600
    while not sign():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


drawn = api.txt2img(prompt="a cat", seed=7, batch_size=2, **small)
check("txt2img", [i.size for i in drawn.images] == [(64, 64)] * 2 and drawn.info["all_seeds"] == [7, 8], drawn.info)
check("parameters", drawn.parameters["prompt"] == "a cat", drawn.parameters)

redrawn = api.img2img(images=[drawn.image], prompt="a dog", seed=8, **small)
check("img2img", redrawn.image.size == (64, 64) and redrawn.info["seed"] == 8, redrawn.info)

large = api.extra_single_image(image=drawn.image, upscaler_1="Lanczos", upscaling_resize=2)
check("extra_single_image", large.image.size == (128, 128), large.image.size)
several = api.extra_batch_images(images=drawn.images, upscaler_1="Lanczos", upscaling_resize=2)
check("extra_batch_images", [i.size for i in several.images] == [(128, 128)] * 2, several.images)

check("samplers", any(s["name"] == "Euler a" for s in api.get_samplers()))
api.set_options({"CLIP_stop_at_last_layers": 2})
check("options", api.get_options()["CLIP_stop_at_last_layers"] == 2)
api.set_options({"CLIP_stop_at_last_layers": 1})
check("progress", api.get_progress()["state"]["job_count"] >= 0)

stopped = []
render = threading.Thread(target=lambda: stopped.append(api.txt2img(prompt="slow", steps=150, seed=9, **small)))
render.start()
check("rendering", is_seen(lambda: api.get_progress()["state"]["sampling_step"] > 0))
api.interrupt()
render.join(3600)
check("interrupt", stopped and [i.size for i in stopped[0].images] == [(64, 64)], stopped)
check("what was interrupted says its seed", stopped[0].info["seed"] == 9, stopped[0].info)
