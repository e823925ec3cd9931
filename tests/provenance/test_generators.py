"""What image generators write: prompt, model, seed, LoRAs, and the technique that follows."""

import json
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from indexer.provenance import Finding, read_provenance
from indexer.provenance.findings import Generation, Lora
from indexer.vocabulary import EvidenceKind, ProvenanceKind, Technique
from tests.made_pictures import encoded, png, scene
from tests.provenance.told_pictures import (
    comfy_graph,
    comfy_png,
    infotext,
    jpeg_with_xmp,
    png_with,
    user_comment,
    xmp_packet,
)


def generations(data: bytes) -> list[Finding]:
    return [one for one in read_provenance(data).findings if one.kind is ProvenanceKind.GENERATION]


def generation(data: bytes) -> Generation:
    (found,) = generations(data)
    assert found.worth is EvidenceKind.SELF_DECLARED
    assert found.generation is not None
    assert found.technique == (found.generation.techniques[0] if found.generation.techniques else Technique.UNKNOWN)
    return found.generation


def test_automatic1111_tells_prompt_model_seed_and_sampler() -> None:
    assert generation(png_with({"parameters": infotext()})) == Generation(
        tool="AUTOMATIC1111",
        tool_version="v1.9.3",
        techniques=(Technique.TEXT_TO_IMAGE,),
        prompt="portrait of a mayor, film grain",
        negative_prompt="blurry, cartoon",
        model="v1-5-pruned",
        model_hash="6ce0161689",
        seed="1234567890",
        sampler="DPM++ 2M",
        steps="20",
    )


CONTROL = ', ControlNet 0: "Module: {module}, Model: {model}, Weight: 1, Resize Mode: Crop and Resize"'


@pytest.mark.parametrize(
    ("more", "prompt", "technique"),
    [
        ("", "", Technique.TEXT_TO_IMAGE),
        (", Denoising strength: 0.6, Hires upscale: 2, Hires upscaler: Latent", "", Technique.TEXT_TO_IMAGE),
        (", Denoising strength: 0.6", "", Technique.IMAGE_TO_IMAGE),
        (", Denoising strength: 0.75, Mask blur: 4, Inpaint area: Only masked", "", Technique.INPAINTING),
        (CONTROL.format(module="reference_only", model="None"), "", Technique.STYLE_TRANSFER),
        (CONTROL.format(module="clip", model="ip-adapter_sd15 [6a3f6166]"), "", Technique.STYLE_TRANSFER),
        (CONTROL.format(module="canny", model="control_v11p_sd15_canny [d14c016b]"), "", Technique.TEXT_TO_IMAGE),
        ("", "<lora:mayor_v2:0.8> ", Technique.FINE_TUNED_MODEL),
        (", ReActor enabled: True", "", Technique.FACE_SWAP),
    ],
)
def test_the_settings_of_automatic1111_give_the_technique(more: str, prompt: str, technique: Technique) -> None:
    assert generation(png_with({"parameters": infotext(more, prompt)})).techniques[0] is technique


def test_the_model_of_a_control_is_not_taken_for_the_model() -> None:
    said = generation(png_with({"parameters": infotext(CONTROL.format(module="canny", model="control_canny [d1]"))}))
    assert said.model == "v1-5-pruned"
    assert "control_canny" in said.controls[0]


def test_loras_carry_weight_and_hash() -> None:
    more = ', Lora hashes: "mayor_v2: aabbccddeeff, other: 001122334455"'
    said = generation(png_with({"parameters": infotext(more, "<lora:mayor_v2:0.8> ")}))
    assert said.loras == (Lora("mayor_v2", "aabbccddeeff", "0.8"), Lora("other", "001122334455"))
    assert said.techniques == (Technique.FINE_TUNED_MODEL, Technique.TEXT_TO_IMAGE)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_parameters_are_read_from_the_user_comment_of_jpeg_and_webp(kind: str) -> None:
    assert generation(user_comment(infotext(), kind)).model_hash == "6ce0161689"


def test_text_behind_the_pixels_of_a_png_is_read() -> None:
    data = png(1)
    chunk = b"tEXt" + b"parameters\0" + infotext().encode()
    late = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert generation(data[:-12] + late + data[-12:]).seed == "1234567890"


def test_comfyui_needs_its_graph_only() -> None:
    said = generation(comfy_png(comfy_graph()))
    assert (said.tool, said.model, said.seed) == ("ComfyUI", "v1-5-pruned", "156680208700286")
    assert (said.prompt, said.negative_prompt, said.sampler) == ("a burning bridge", "watermark", "euler")
    assert said.techniques == (Technique.TEXT_TO_IMAGE,)


LOAD = {"class_type": "LoadImage", "inputs": {"image": "source.png"}}


def sampler(**inputs: Any) -> dict[str, Any]:
    node: dict[str, Any] = comfy_graph()["n3"]
    return {**node, "inputs": {**node["inputs"], **inputs}}


COMFY = {
    Technique.IMAGE_TO_IMAGE: {
        "n10": LOAD,
        "n5": {"class_type": "VAEEncode", "inputs": {"pixels": ["n10", 0], "vae": ["n4", 2]}},
        "n3": sampler(denoise=0.6),
    },
    Technique.INPAINTING: {
        "n10": LOAD,
        "n11": {"class_type": "VAEEncode", "inputs": {"pixels": ["n10", 0], "vae": ["n4", 2]}},
        "n5": {"class_type": "SetLatentNoiseMask", "inputs": {"samples": ["n11", 0], "mask": ["n10", 1]}},
    },
    Technique.STYLE_TRANSFER: {
        "n10": LOAD,
        "n11": {"class_type": "IPAdapterAdvanced", "inputs": {"model": ["n4", 0], "image": ["n10", 0], "weight": 1}},
        "n3": sampler(model=["n11", 0]),
    },
    Technique.FINE_TUNED_MODEL: {
        "n11": {
            "class_type": "LoraLoader",
            "inputs": {"lora_name": "people/mayor.safetensors", "strength_model": 0.8, "model": ["n4", 0]},
        },
        "n3": sampler(model=["n11", 0]),
    },
    Technique.FACE_SWAP: {
        "n10": LOAD,
        "n11": {"class_type": "ReActorFaceSwap", "inputs": {"input_image": ["n8", 0], "source_image": ["n10", 0]}},
    },
    Technique.TEXT_TO_IMAGE: {  # a picture is loaded, but for the pose only
        "n10": LOAD,
        "n11": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "control_v11p_sd15_openpose.pth"}},
        "n12": {
            "class_type": "ControlNetApply",
            "inputs": {"conditioning": ["n6", 0], "control_net": ["n11", 0], "image": ["n10", 0]},
        },
        "n3": sampler(positive=["n12", 0]),
    },
}


@pytest.mark.parametrize("technique", COMFY)
def test_the_graph_of_comfyui_gives_the_technique(technique: Technique) -> None:
    said = generation(comfy_png(comfy_graph(**COMFY[technique])))
    assert said.techniques[0] is technique
    assert said.prompt == "a burning bridge"
    assert said.model == "v1-5-pruned"


def test_comfyui_loras_are_named() -> None:
    said = generation(comfy_png(comfy_graph(**COMFY[Technique.FINE_TUNED_MODEL])))
    assert said.loras == (Lora("mayor", weight="0.8"),)


def test_a_second_pass_over_its_own_latent_is_no_source_picture() -> None:
    again = sampler(latent_image=["n3", 0], denoise=0.5, seed=7)
    said = generation(
        comfy_png(comfy_graph(n20=again, n8={"class_type": "VAEDecode", "inputs": {"samples": ["n20", 0]}}))
    )
    assert said.techniques == (Technique.TEXT_TO_IMAGE,)
    assert said.seed == "156680208700286"


def test_a_pose_behind_the_first_of_two_passes_is_no_source_picture_either() -> None:
    again = sampler(latent_image=["n3", 0], denoise=0.5)
    posed = {**COMFY[Technique.TEXT_TO_IMAGE], "n20": again}
    assert generation(comfy_png(comfy_graph(**posed))).techniques == (Technique.TEXT_TO_IMAGE,)


def test_comfyui_with_separate_nodes_for_noise_and_guidance_is_followed() -> None:
    custom = {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {"noise": ["n21", 0], "guider": ["n22", 0], "sampler": ["n23", 0], "latent_image": ["n5", 0]},
    }
    graph = comfy_graph(
        n3=custom,
        n4={"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors"}},
        n21={"class_type": "RandomNoise", "inputs": {"noise_seed": 42}},
        n22={"class_type": "BasicGuider", "inputs": {"model": ["n4", 0], "conditioning": ["n6", 0]}},
        n23={"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    )
    said = generation(comfy_png(graph))
    assert (said.seed, said.sampler, said.model, said.prompt) == ("42", "euler", "flux1-dev", "a burning bridge")


def test_the_webp_files_of_comfyui_keep_the_graph_in_a_camera_tag_which_is_no_camera() -> None:
    exif = Image.Exif()
    exif[0x0110] = "prompt:" + json.dumps(comfy_graph())
    found = read_provenance(encoded(scene(1), "WEBP", exif=exif)).findings
    assert [one.kind for one in found] == [ProvenanceKind.GENERATION]
    assert found[0].made_with == "ComfyUI"


def test_the_drawing_of_comfyui_alone_names_the_model_and_leaves_the_technique_open() -> None:
    drawing = {
        "nodes": [{"type": "CheckpointLoaderSimple", "widgets_values": ["v1-5.safetensors"]}, {"type": "KSampler"}]
    }
    said = generation(png_with({"workflow": json.dumps(drawing)}))
    assert (said.tool, said.model, said.techniques) == ("ComfyUI", "v1-5", ())


INVOKE: dict[str, Any] = {
    "generation_mode": "txt2img",
    "positive_prompt": "a flooded street",
    "negative_prompt": "text",
    "model": {"key": "k", "hash": "blake3:AB12", "name": "juggernaut", "base": "sdxl"},
    "seed": 99,
    "scheduler": "euler_a",
    "app_version": "5.6.0",
}


@pytest.mark.parametrize(
    ("change", "technique"),
    [
        ({}, Technique.TEXT_TO_IMAGE),
        ({"generation_mode": "sdxl_img2img", "strength": 0.7}, Technique.IMAGE_TO_IMAGE),
        ({"generation_mode": "sdxl_inpaint"}, Technique.INPAINTING),
        ({"ipAdapters": [{"ip_adapter_model": {"name": "IP Adapter SDXL"}}]}, Technique.STYLE_TRANSFER),
        ({"loras": [{"model": {"name": "mayor", "hash": "blake3:CD"}, "weight": 0.75}]}, Technique.FINE_TUNED_MODEL),
        ({"controlnets": [{"control_model": {"name": "canny-sdxl"}}]}, Technique.TEXT_TO_IMAGE),
    ],
)
def test_invokeai_tells_how_a_picture_was_made(change: dict[str, Any], technique: Technique) -> None:
    said = generation(png_with({"invokeai_metadata": json.dumps(INVOKE | change)}))
    assert (said.tool, said.tool_version, said.model, said.model_hash) == (
        "InvokeAI",
        "5.6.0",
        "juggernaut",
        "blake3:ab12",
    )
    assert (said.prompt, said.seed) == ("a flooded street", "99")
    assert said.techniques[0] is technique


def test_a_picture_of_invokeai_without_a_scheduler_is_read_too() -> None:
    without = {key: value for key, value in INVOKE.items() if key != "scheduler"} | {"generation_mode": "flux_txt2img"}
    assert generation(png_with({"invokeai_metadata": json.dumps(without)})).techniques == (Technique.TEXT_TO_IMAGE,)


def test_the_forms_of_old_invokeai_are_read() -> None:
    image = {"type": "img2img", "prompt": [{"prompt": "a tank", "weight": 1}], "seed": 5, "sampler": "k_lms"}
    metadata = {"model_weights": "stable-diffusion-1.4", "model_hash": "FE4E", "app_version": "2.2.5", "image": image}
    said = generation(png_with({"sd-metadata": json.dumps(metadata)}))
    assert (said.model_hash, said.seed, said.prompt) == ("fe4e", "5", "a tank")
    assert said.techniques == (Technique.IMAGE_TO_IMAGE,)
    dream = generation(
        png_with({"Dream": '"a tank at dawn" -s 50 -S 123 -W 512 -H 512 -C 7.5 -A k_lms -I in.png -f 0.7'})
    )
    assert (dream.prompt, dream.seed, dream.sampler, dream.strength) == ("a tank at dawn", "123", "k_lms", "0.7")
    assert dream.techniques == (Technique.IMAGE_TO_IMAGE,)


@pytest.mark.parametrize(
    ("change", "technique"),
    [
        ({}, Technique.TEXT_TO_IMAGE),
        ({"request_type": "Img2ImgRequest", "strength": 0.5}, Technique.IMAGE_TO_IMAGE),
        ({"request_type": "NativeInfillingRequest"}, Technique.INPAINTING),
        ({"reference_strength_multiple": [0.6]}, Technique.STYLE_TRANSFER),
    ],
)
def test_novelai_tells_how_a_picture_was_made(change: dict[str, Any], technique: Technique) -> None:
    comment = {"seed": 77, "sampler": "k_euler", "steps": 28, "uc": "lowres", "request_type": "PromptGenerateRequest"}
    texts = {
        "Title": "AI generated image",
        "Description": "a crowd",
        "Software": "NovelAI",
        "Source": "Stable Diffusion XL 7BCCAA2C",
        "Comment": json.dumps(comment | change),
    }
    said = generation(png_with(texts))
    assert (said.tool, said.model, said.model_hash) == ("NovelAI", "Stable Diffusion XL", "7bccaa2c")
    assert (said.prompt, said.negative_prompt, said.seed) == ("a crowd", "lowres", "77")
    assert said.techniques[0] is technique


def test_fooocus_is_read_in_both_of_its_schemes() -> None:
    own = {
        "prompt": "a rally",
        "negative_prompt": "",
        "base_model": "juggernautXL_v8Rundiffusion",
        "base_model_hash": "AEB7E9E689",
        "loras": [["sd_xl_offset_example-lora_1.0", 0.1, "4852686128"]],
        "seed": "11",
        "sampler": "dpmpp_2m_sde_gpu",
        "version": "Fooocus v2.5.5",
    }
    said = generation(png_with({"parameters": json.dumps(own), "fooocus_scheme": "fooocus"}))
    assert (said.tool, said.tool_version, said.model_hash, said.seed) == ("Fooocus", "v2.5.5", "aeb7e9e689", "11")
    assert said.loras == (Lora("sd_xl_offset_example-lora_1.0", "4852686128", "0.1"),)
    assert said.techniques == (Technique.FINE_TUNED_MODEL, Technique.TEXT_TO_IMAGE)
    other = infotext().replace("Version: v1.9.3", "Version: Fooocus v2.5.5")
    assert generation(png_with({"parameters": other, "fooocus_scheme": "a1111"})).tool == "Fooocus"


SWARM = {"prompt": "a protest", "model": "OfficialStableDiffusion/sd_xl_base_1.0", "seed": 3, "swarm_version": "0.9.5"}


@pytest.mark.parametrize(
    ("change", "technique"),
    [
        ({}, Technique.TEXT_TO_IMAGE),
        ({"initimagecreativity": 0.6}, Technique.IMAGE_TO_IMAGE),
        ({"initimagecreativity": 0.6, "maskblur": 4}, Technique.INPAINTING),
        ({"useipadapterforrevision": "ip-adapter"}, Technique.STYLE_TRANSFER),
        ({"loras": ["people/mayor"], "loraweights": ["0.8"]}, Technique.FINE_TUNED_MODEL),
    ],
)
def test_swarmui_tells_how_a_picture_was_made(change: dict[str, Any], technique: Technique) -> None:
    models = [{"name": "sd_xl_base_1.0.safetensors", "param": "model", "hash": "0xD7A9105A"}]
    written = json.dumps({"sui_image_params": SWARM | change, "sui_models": models}, indent=2)
    for data in (png_with({"parameters": written}), user_comment(written)):
        said = generation(data)
        assert (said.tool, said.tool_version, said.model) == ("SwarmUI", "0.9.5", "sd_xl_base_1.0")
        assert (said.model_hash, said.seed, said.prompt) == ("d7a9105a", "3", "a protest")
        assert said.techniques[0] is technique


@pytest.mark.parametrize(
    ("change", "technique"),
    [
        ({}, Technique.TEXT_TO_IMAGE),
        ({"strength": 0.55}, Technique.IMAGE_TO_IMAGE),
        ({"lora": [{"model": "mayor_lora_f16.ckpt", "weight": 0.6}]}, Technique.FINE_TUNED_MODEL),
        ({"v2": {"controls": [{"file": "ip_adapter_plus_xl_base_open_clip.ckpt"}]}}, Technique.STYLE_TRANSFER),
    ],
)
def test_draw_things_tells_how_a_picture_was_made(change: dict[str, Any], technique: Technique) -> None:
    settings = {"c": "an arrest", "uc": "", "model": "sd_v1.5_f16.ckpt", "seed": 8, "sampler": "DDIM", "strength": 1}
    written = json.dumps(settings | change).replace('"', "&quot;")
    inner = f'<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{written}</rdf:li></rdf:Alt></exif:UserComment>'
    said = generation(jpeg_with_xmp(xmp_packet(inner, 'xmp:CreatorTool="Draw Things"')))
    assert (said.tool, said.model, said.seed, said.prompt) == ("Draw Things", "sd_v1.5_f16", "8", "an arrest")
    assert said.techniques[0] is technique


@pytest.mark.parametrize(
    ("texts", "tool"),
    [
        ({"invokeai_metadata": "{broken"}, "InvokeAI"),
        ({"workflow": "[]"}, "ComfyUI"),
        ({"Software": "NovelAI", "Comment": "no JSON"}, "NovelAI"),
        ({"fooocus_scheme": "fooocus", "parameters": "{}"}, "Fooocus"),
    ],
)
def test_a_mark_whose_content_is_broken_is_still_named(texts: dict[str, str], tool: str) -> None:
    (found,) = generations(png_with(texts))
    assert (found.made_with, found.technique, found.generation) == (tool, Technique.UNKNOWN, None)
    assert "could not be read" in found.statement


def test_a_picture_that_says_nothing_has_no_findings() -> None:
    assert read_provenance(png(1)).findings == ()
    assert read_provenance(encoded(scene(1), "JPEG")).findings == ()


def test_long_prompts_are_cut_and_hashes_are_lower_case() -> None:
    said = generation(png_with({"parameters": infotext(prompt="word " * 10_000)}))
    assert said.prompt is not None
    assert len(said.prompt) == 10_000
    assert said.model_hash == "6ce0161689"
