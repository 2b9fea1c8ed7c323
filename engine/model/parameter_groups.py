# SPDX-License-Identifier: GPL-3.0-or-later
"""What the names in a released checkpoint mean, group by group."""

from __future__ import annotations

PARAMETER_GROUPS: dict[str, str] = {
    "pose_token": "pose token of the first frame",
    "masked_img_token": "unused: stands for a missing image",
    "masked_ray_map_token": "unused: stands for a missing ray map",
    "masked_smpl_token": "training: image half of the prompt that pads missing people",
    "mhmr_masked_smpl_token": "training: prior half of the prompt that pads missing people",
    "mhmr_masked_img_token": "unused: stands for a missing human-prior image",
    "patch_embed.": "image encoder: patches to tokens",
    "enc_blocks.": "image encoder: transformer blocks",
    "enc_norm.": "image encoder: final norm",
    "patch_embed_ray_map.": "unused: ray-map encoder, patches to tokens",
    "enc_blocks_ray_map.": "unused: ray-map encoder, transformer blocks",
    "enc_norm_ray_map.": "unused: ray-map encoder, final norm",
    "backbone.encoder.": "human-prior encoder (DINOv2 layout)",
    "register_tokens.": "learned initial state, at the encoder's width",
    "decoder_embed.": "encoder's width to the decoder's, image stream",
    "decoder_embed_state.": "encoder's width to the decoder's, state stream",
    "dec_blocks.": "decoder of the image stream [pose token, image tokens, prompts]",
    "dec_norm.": "final norm of the image stream",
    "dec_blocks_state.": "decoder of the state stream",
    "dec_norm_state.": "final norm of the state stream",
    "pose_retriever.": "pose memory: learned slots (mem), reading and writing blocks",
    "downstream_head.init_": "mean body that the heads' outputs add to (init_betas_kid, init_cam: unused)",
    "downstream_head.dpt_self.": "point map and confidence in the camera frame",
    "downstream_head.dpt_cross.": "training: point map and confidence in the world frame",
    "downstream_head.dpt_rgb.": "training: colors",
    "downstream_head.final_transform.": "training: modulates the world point map's tokens by the pose token",
    "downstream_head.pose_head.": "camera pose from the refined pose token",
    "downstream_head.mlp_classif.": "head score of each prior patch",
    "downstream_head.mlp_offset.": "head position inside its prior patch",
    "downstream_head.mlp_msk.": "mask of people, 14 x 14 pixels per prior patch",
    "downstream_head.mlp_fuse.": "prior token and image token to a human prompt",
    "downstream_head.deccam.": "refined prompt to the head's place in the camera frame",
    "downstream_head.decpose.": "refined prompt and prior token to 53 rotations",
    "downstream_head.decshape.": "refined prompt and prior token to the body's shape",
    "downstream_head.decexpression.": "refined prompt and prior token to the facial expression",
}
"""Meaning of every parameter by the beginning of its name; in a report each name is explained by its group.

Inside blocks: ``norm1``, ``attn`` (fused ``qkv``, ``proj``), ``norm2``, ``cross_attn`` (``projq``, ``projk``,
``projv``, ``proj``) on the other stream's ``norm_y``, ``norm3``, ``mlp`` (``fc1``, ``fc2``), ``ls1`` and ``ls2`` layer
scales. In a dense head: ``act_postprocess.N`` brings level N to its size, ``scratch.layerN_rn`` (also called
``scratch.layer_rn.(N-1)``) to one width, ``scratch.refinenetN`` fuses, ``head`` makes the map.
"""


def meaning(key: str) -> str:
    """What a parameter is for; ``unknown`` for a name that no released checkpoint has."""
    return next((text for prefix, text in PARAMETER_GROUPS.items() if key.startswith(prefix)), "unknown")
