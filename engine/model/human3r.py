# SPDX-License-Identifier: GPL-3.0-or-later
"""The model, readable from top to bottom in :meth:`Human3R.step`; letters in shapes as in :mod:`.prediction`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .blocks import DecoderBlock, EncoderBlock, ModulatedBlock, layer_norm
from .camera_head import CameraHead, metric_confidence, metric_vector
from .camera_memory import PoseRetriever
from .config import PATCH_SIZE, Human3RConfig
from .conv_prior import ConvolutionalBackbone
from .conv_stem import ConvolutionalStem, add_positions
from .dinov2 import Backbone, PatchEmbed
from .dpt_head import DenseHead
from .human_head import HumanHead, detect_heads
from .prediction import FramePrediction, People, SceneState, StepOptions, TeacherPrompts
from .prior_image import crop_from_square, image_patch, position_from_square, position_to_square, prior_image
from .rope import grid_positions, rotary_table, state_positions
from .state_update import gated_update, state_gate


class DownstreamHead(HumanHead):
    """All heads. Checkpoints keep them in one module, so this adds the dense heads and the camera's to the people's."""

    def __init__(self, config: Human3RConfig, for_inference: bool) -> None:
        super().__init__(config, for_inference)
        self.dpt_self = DenseHead(config, 4, for_inference)
        if not for_inference:
            self.final_transform = nn.ModuleList(
                ModulatedBlock(config.decoder_width, config.decoder_heads) for _ in range(2)
            )
            self.dpt_cross = DenseHead(config, 4)
            self.dpt_rgb = DenseHead(config, 3)
        self.pose_head = CameraHead(config.decoder_width)


@dataclass(frozen=True)
class _Prompts:
    """Prompts as the decoder takes them: (B, N, D) tokens at (B, N, 2) patches; ``exists`` (B, N) None when all do."""

    tokens: Tensor
    patches: Tensor
    exists: Tensor | None


@dataclass(frozen=True)
class _Heads:
    """The n chosen heads and what is known about them before the decoder; fields as in :class:`.prediction.People`."""

    batch_index: Tensor
    slot: Tensor
    """(n,) int64, which of a picture's N prompts a head is."""
    slots: int
    """N."""
    prior_patch: Tensor
    head_square_px: Tensor
    head_px: Tensor
    image_patch: Tensor
    prior_token: Tensor
    prompt: Tensor


class Human3R(nn.Module):
    """Online reconstruction of people, place and camera: one :meth:`step` per frame.

    ``for_inference`` leaves out every module that only training needs, so that it is neither computed nor resident.
    Weights are undefined until they are loaded (:mod:`.checkpoint`) or filled (:mod:`.recipe_weights`); build on the
    meta device to get names and shapes alone.
    """

    def __init__(self, config: Human3RConfig, for_inference: bool = False) -> None:
        super().__init__()
        self.config = config
        self.for_inference = for_inference
        encoder, decoder, depth = config.encoder_width, config.decoder_width, config.decoder_depth
        self.pose_token = nn.Parameter(torch.zeros(1, 1, decoder))
        if not for_inference:
            self.masked_img_token = nn.Parameter(torch.zeros(1, encoder))
            self.masked_ray_map_token = nn.Parameter(torch.zeros(1, encoder))
            self.masked_smpl_token = nn.Parameter(torch.zeros(1, encoder))
            self.mhmr_masked_smpl_token = nn.Parameter(torch.zeros(1, config.prior_width))
            self.mhmr_masked_img_token = nn.Parameter(torch.zeros(1, config.prior_width))
        self.patch_embed = ConvolutionalStem(encoder) if config.convolutional else PatchEmbed(PATCH_SIZE, encoder)
        self.enc_blocks = nn.ModuleList(
            EncoderBlock(encoder, config.encoder_heads) for _ in range(config.encoder_depth)
        )
        self.enc_norm = layer_norm(encoder)
        self.decoder_embed = nn.Linear(encoder, decoder)
        self.dec_blocks = nn.ModuleList(DecoderBlock(decoder, config.decoder_heads) for _ in range(depth))
        self.dec_norm = layer_norm(decoder)
        if not for_inference:
            self.patch_embed_ray_map = PatchEmbed(PATCH_SIZE, encoder, channels=6)
            self.enc_blocks_ray_map = nn.ModuleList(
                EncoderBlock(encoder, config.encoder_heads) for _ in range(config.ray_map_depth)
            )
            self.enc_norm_ray_map = layer_norm(encoder)
        self.pose_retriever = PoseRetriever(config)
        self.register_tokens = nn.Embedding(config.state_tokens, encoder)
        self.backbone = ConvolutionalBackbone(config) if config.convolutional else Backbone(config, for_inference)
        self.decoder_embed_state = nn.Linear(encoder, decoder)
        self.dec_blocks_state = nn.ModuleList(DecoderBlock(decoder, config.state_heads) for _ in range(depth))
        self.dec_norm_state = layer_norm(decoder)
        self.downstream_head = DownstreamHead(config, for_inference)

    def initial_state(self, batch: int = 1) -> SceneState:
        """What is carried before the first frame and after a reset."""
        tokens = self.decoder_embed_state(self.register_tokens.weight)[None].float()
        if self.config.convolutional:
            tokens = add_positions(tokens, state_positions(self.config.state_tokens, tokens.device)[None])
        return SceneState(tokens.expand(batch, -1, -1), self.pose_retriever.mem.expand(batch, -1, -1), is_first=True)

    def step(
        self,
        images: Tensor,
        state: SceneState,
        options: StepOptions | None = None,
        teacher: TeacherPrompts | None = None,
    ) -> tuple[FramePrediction, SceneState]:
        """Process one frame of each of B independent videos.

        ``images`` is (B, 3, H, W) RGB in [-1, 1], H and W multiples of 16. Without ``teacher`` people are detected;
        with it (training) the prompts sit at the given heads. Returns the prediction and the state for the next frame.
        Paper equations 2 and 3.
        """
        options = options or StepOptions()
        head = self.downstream_head
        height, width = images.shape[-2:]
        rows, columns = height // PATCH_SIZE, width // PATCH_SIZE

        image_tokens = self.encode_image(images)
        prior, fine = self.encode_prior(images)
        scores = head.head_scores(prior)
        mask_square = head.person_mask(prior)

        if teacher is None:
            found = detect_heads(scores, options.detection_threshold)
            heads = self._choose(prior, fine, image_tokens, found[:, 0], found[:, 1:], (height, width))
            prompts = self._detected_prompts(heads, len(images))
        else:
            heads = self._choose_taught(prior, fine, image_tokens, teacher, (height, width))
            prompts = self._taught_prompts(heads, teacher)

        key = self.pose_retriever.key(image_tokens)
        pose_token = (
            self.pose_token.expand(len(images), -1, -1)
            if state.is_first
            else self.pose_retriever.read(key, state.memory)
        )
        levels, stream, new_tokens, gate = self._decode(image_tokens, pose_token, prompts, state.tokens, rows, columns)
        refined_pose, refined_prompts = stream[:, :1], stream[:, 1 + rows * columns :]

        tokens = gated_update(state.tokens, new_tokens, gate) if options.ttt3r and not state.is_first else new_tokens
        memory = self.pose_retriever.write(state.memory, key, refined_pose)

        token = refined_prompts[heads.batch_index, heads.slot]
        rotations, betas, expression, head_point = head.body(token, heads.prior_token)
        people = People(
            batch_index=heads.batch_index, score=scores[heads.batch_index, *heads.prior_patch.unbind(-1)],
            prior_patch=heads.prior_patch, head_square_px=heads.head_square_px, head_px=heads.head_px,
            image_patch=heads.image_patch, prompt=heads.prompt, token=token, rotations=rotations, betas=betas,
            expression=expression, head_point=head_point,
        )  # fmt: skip
        points = head.dpt_self(levels, rows, columns)
        prediction = FramePrediction(
            points_self=metric_vector(points[..., :3]), confidence=metric_confidence(points[..., 3]),
            camera_pose=head.pose_head(refined_pose[:, 0]), mask=crop_from_square(mask_square, height, width),
            mask_square=mask_square, scores=scores, people=people, gate=gate,
            **(self._training_heads(levels, refined_pose, rows, columns) if options.training_heads else {}),
        )  # fmt: skip
        return prediction, SceneState(tokens, memory, is_first=False)

    def encode_image(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) CUT3R images to (B, H/16 * W/16, encoder width) tokens: equation 2's Encoder."""
        rows, columns = images.shape[-2] // PATCH_SIZE, images.shape[-1] // PATCH_SIZE
        positions = grid_positions(rows, columns, images.device)[None]
        rotary = rotary_table(positions, self.config.encoder_width // self.config.encoder_heads)
        x = self.patch_embed(images).float()  # in reduced precision, too, residual sums are float32
        if self.config.convolutional:
            x = add_positions(x, positions)
        for block in self.enc_blocks:
            x = block(x, rotary)
        return self.enc_norm(x)

    def encode_prior(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, 3, H, W) CUT3R images to the (B, S, S, prior width) tokens of the human-prior encoder.

        A convolutional prior also gives the fine features from which it reads people; otherwise None.
        """
        grid = self.config.score_grid
        tokens, fine = self.backbone(prior_image(images, self.config.prior_resolution))
        return tokens.unflatten(1, (grid, grid)), fine

    def _choose(
        self,
        prior: Tensor,
        fine: Tensor | None,
        image_tokens: Tensor,
        batch_index: Tensor,
        prior_patch: Tensor,
        size: tuple[int, int],
    ) -> _Heads:
        """Gather what is known about the heads in the (n, 2) prior patches of the (n,) pictures, in picture order."""
        resolution, columns = self.config.prior_resolution, size[1] // PATCH_SIZE
        prior_token = prior[batch_index, *prior_patch.unbind(-1)]
        square_px = self.downstream_head.head_position(prior_token, prior_patch)
        head_px = position_from_square(square_px, resolution, *size)
        patch = image_patch(head_px)
        image_token = image_tokens[batch_index, patch[:, 0] * columns + patch[:, 1]]
        prior_token = self.backbone.person_token(prior_token, fine, batch_index, square_px)
        counts = batch_index.bincount(minlength=len(prior))
        first = counts.cumsum(0) - counts
        slot = torch.arange(len(batch_index), device=prior.device) - first[batch_index]
        return _Heads(
            batch_index,
            slot,
            int(counts.max()),
            prior_patch,
            square_px,
            head_px,
            patch,
            prior_token,
            self.downstream_head.prompt(prior_token, image_token),
        )

    def _choose_taught(
        self, prior: Tensor, fine: Tensor | None, image_tokens: Tensor, teacher: TeacherPrompts, size: tuple[int, int]
    ) -> _Heads:
        """The same for the given heads: they, not the predicted offsets, decide about patches."""
        resolution, columns = self.config.prior_resolution, size[1] // PATCH_SIZE
        batch_index, slot = teacher.valid.nonzero().unbind(-1)
        head_px = teacher.head_px[batch_index, slot]
        patch = image_patch(head_px)
        square = position_to_square(head_px, resolution, *size)
        prior_patch = (square / self.config.prior_patch_size).floor().long().flip(-1)
        prior_patch = prior_patch.clamp(0, self.config.score_grid - 1)
        prior_token = prior[batch_index, *prior_patch.unbind(-1)]
        image_token = image_tokens[batch_index, patch[:, 0] * columns + patch[:, 1]]
        square_px = self.downstream_head.head_position(prior_token, prior_patch)
        prior_token = self.backbone.person_token(prior_token, fine, batch_index, square)
        return _Heads(
            batch_index,
            slot,
            teacher.valid.shape[1],
            prior_patch,
            square_px,
            position_from_square(square_px, resolution, *size),
            patch,
            prior_token,
            self.downstream_head.prompt(prior_token, image_token),
        )

    def _detected_prompts(self, heads: _Heads, batch: int) -> _Prompts:
        """Pad to the picture with most people; the padding does not exist for anybody's attention."""
        tokens = heads.prompt.new_zeros(batch, heads.slots, heads.prompt.shape[-1])
        tokens = tokens.index_put((heads.batch_index, heads.slot), heads.prompt)
        patches = heads.image_patch.new_full((batch, heads.slots, 2), -1)
        patches[heads.batch_index, heads.slot] = heads.image_patch
        exists = torch.zeros(batch, heads.slots, dtype=torch.bool, device=tokens.device)
        exists[heads.batch_index, heads.slot] = True
        return _Prompts(tokens, patches, None if exists.all() else exists)

    def _taught_prompts(self, heads: _Heads, teacher: TeacherPrompts) -> _Prompts:
        """Pad with the prompt of the learnt masked tokens, which takes part in the attention, or it would not learn."""
        masked = self.downstream_head.prompt(self.mhmr_masked_smpl_token, self.masked_smpl_token)
        tokens = masked.expand(*teacher.valid.shape, -1).to(heads.prompt.dtype)
        tokens = tokens.index_put((heads.batch_index, heads.slot), heads.prompt)
        patches = heads.image_patch.new_full((*teacher.valid.shape, 2), -1)
        patches[heads.batch_index, heads.slot] = heads.image_patch
        return _Prompts(tokens, patches, None)

    def _decode(
        self, image_tokens: Tensor, pose_token: Tensor, prompts: _Prompts, state: Tensor, rows: int, columns: int
    ) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
        """Both streams through all layers, each layer seeing the previous layer's values of both.

        Returns the four feature levels of the image tokens, the whole refined stream [pose, image, prompts], the new
        state, and the (B, state tokens) gate.
        """
        config, batch, count = self.config, len(image_tokens), rows * columns
        device = image_tokens.device
        pose_position = torch.full((batch, 1, 2), -1, device=device)
        image_positions = grid_positions(rows, columns, device).expand(batch, -1, -1)
        positions = torch.cat((pose_position, image_positions, prompts.patches), dim=1)
        places = state_positions(config.state_tokens, device)[None]
        width, state_width = (config.decoder_width // heads for heads in (config.decoder_heads, config.state_heads))
        stream_rotary, state_rotary = rotary_table(positions, width), rotary_table(places, width)
        stream_rotary_s, state_rotary_s = rotary_table(positions, state_width), rotary_table(places, state_width)
        exists = None
        if prompts.exists is not None:
            exists = torch.cat((prompts.exists.new_ones(batch, 1 + count), prompts.exists), dim=1)

        embedded = self.decoder_embed(image_tokens).float()
        if config.convolutional:
            embedded = add_positions(embedded, image_positions)
        stream = torch.cat((pose_token, embedded, prompts.tokens), dim=1)
        levels, logits = [image_tokens], []
        kept = (config.decoder_depth // 2, config.decoder_depth * 3 // 4)
        for layer, (block, block_state) in enumerate(zip(self.dec_blocks, self.dec_blocks_state, strict=True), start=1):
            new_state, logit = block_state(
                state, stream, state_rotary_s, stream_rotary_s, None, exists, want_mean_logit=True
            )
            stream, _ = block(stream, state, stream_rotary, state_rotary, exists, None)
            state = new_state
            logits.append(logit)
            if layer in kept:
                levels.append(stream[:, 1 : 1 + count])
        stream = self.dec_norm(stream)
        levels.append(stream[:, 1 : 1 + count])
        return levels, stream, self.dec_norm_state(state), state_gate(logits)

    def _training_heads(self, levels: list[Tensor], pose_token: Tensor, rows: int, columns: int) -> dict[str, Tensor]:
        """World point map with its confidence, and colours."""
        head = self.downstream_head
        rotary = rotary_table(
            grid_positions(rows, columns, pose_token.device)[None],
            self.config.decoder_width // self.config.decoder_heads,
        )
        last = levels[-1]
        for block in head.final_transform:
            last = block(last, pose_token, rotary)
        world = head.dpt_cross([*levels[:-1], last], rows, columns)
        color = head.dpt_rgb(levels, rows, columns).float().sigmoid() * 2 - 1
        return {
            "points_world": metric_vector(world[..., :3]),
            "confidence_world": metric_confidence(world[..., 3]),
            "color": color,
        }
