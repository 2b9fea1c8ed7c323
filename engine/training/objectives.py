# SPDX-License-Identifier: GPL-3.0-or-later
"""What one batch costs: each stage's way through the model, and the sum of its losses by name.

Three ways: ``people`` (single frames through the human prior and the people's heads, decoders left out), ``matching``
(image encoder alone) and ``clips`` (everything, frame by frame through :meth:`Human3R.step`, as streaming does).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.skeleton import HEAD, HUMAN3R_TO_JOINT
from ..model.human3r import Human3R
from ..model.prediction import FramePrediction, StepOptions
from ..model.prior_image import crop_from_square, position_to_square
from ..synthetic.surface import BodySurface
from .auxiliary_heads import AuxiliaryHeads
from .camera_losses import camera_losses
from .detection_losses import detection_loss, mask_loss, offset_loss
from .identity_losses import NamedTokens, identity_loss
from .matching import matching_loss, patch_matches
from .paper_losses import DETECTION, MASK, paper_people_losses
from .person_losses import PeopleTruth, PersonWeights, body_losses, reader_losses
from .point_losses import log_depth_loss, point_loss, ray_loss, scene_scale
from .skeleton import Skeleton
from .taps import Taps
from .truth import Truth, taught_people

Losses = dict[str, Tensor]


@dataclass(frozen=True)
class LossWeights:
    """Weights of the parts of a stage's loss; 0 leaves a part out."""

    people: float = 1.0
    detection: float = 1.0
    offset: float = 1.0
    mask: float = 2.0
    points: float = 1.0
    log_depth: float = 1.0
    rays: float = 1.0
    translation: float = 2.0
    rotation: float = 3.0
    surface: float = 1.0
    """Body parts and canonical coordinates on the fine features."""
    match: float = 0.3
    flow: float = 0.5
    world: float = 1.0
    identity: float = 0.3
    world_map: float = 0.0
    """The paper's world-frame point map and colours, which need the training heads (slow)."""
    paper: bool = False
    """The paper's losses on people in place of the direct ones."""
    person: PersonWeights = PersonWeights()


class Objective:
    """Turns batches into losses."""

    def __init__(
        self, model: Human3R, heads: AuxiliaryHeads, skeleton: Skeleton, surface: BodySurface, weights: LossWeights
    ) -> None:
        self.model, self.heads, self.skeleton, self.surface, self.weights = model, heads, skeleton, surface, weights

    def people(self, truth: Truth) -> Losses:
        """Single frames (T = 1) through the prior and the people's heads: fast, for a stage of its own."""
        model, head, config = self.model, self.model.downstream_head, self.model.config
        images, taught = truth.images[:, 0], self._taught(truth)[:, 0]
        height, width = images.shape[-2:]
        batch_index, slot = taught.nonzero().unbind(-1)
        with Taps(model) as taps:
            prior, fine = model.encode_prior(images)
            square = position_to_square(truth.head_px[batch_index, 0, slot], config.prior_resolution, height, width)
            patch = self._prior_patch(square)
            token = prior[batch_index, *patch.unbind(-1)]
            square_px = head.head_position(token, patch)
            token = model.backbone.person_token(token, fine, batch_index, square)
            image_token = model.masked_smpl_token.expand(len(token), -1)
            refined = model.dec_norm(head.prompt(token, image_token))
            _, betas, expression, point = head.body(refined, token)
            mask = crop_from_square(head.person_mask(prior), height, width)
            losses = self._seen_losses(truth, 0, head.head_scores(prior), square_px, mask, taught, taps)
            people = self._people_truth(truth, 0, batch_index, slot)
            if taps.raw_rotations is not None:
                losses |= body_losses(
                    taps.raw_rotations, betas, expression, point, people, self.skeleton, self.weights.person
                )
                if taps.reading is not None:
                    losses |= reader_losses(taps.reading, people, self.weights.person)
        return losses

    def matching(self, truth: Truth) -> Losses:
        """All pairs of neighbouring frames through the image encoder alone."""
        encoded = self.model.encode_image(truth.images.flatten(0, 1)).unflatten(0, truth.images.shape[:2])
        features, total = self.heads.match(encoded), encoded.new_zeros((), dtype=torch.float32)
        for frame in range(1, truth.frames):
            total = total + self._match(features[:, frame], features[:, frame - 1], truth, frame, frame - 1)
        return {"match": total / max(truth.frames - 1, 1)}

    def clips(self, truth: Truth) -> Losses:
        """Clips frame by frame through the step, with the prompts at the true heads."""
        weights, frames = self.weights, truth.frames
        options = StepOptions(training_heads=weights.world_map > 0)
        poses, points, valid = truth.camera_from_first(), truth.points(), truth.depth > 0
        taught = self._taught(truth)
        state = self.model.initial_state(len(truth.images))
        predictions: list[FramePrediction] = []
        parts: list[Losses] = []
        features: list[Tensor] = []
        named: list[NamedTokens] = []
        with Taps(self.model) as taps:
            for frame in range(frames):
                taps.clear()
                prediction, state = self.model.step(
                    truth.images[:, frame], state, options, truth.prompts(frame, taught)
                )
                predictions.append(prediction)
                parts.append(self._frame_losses(truth, frame, prediction, taught[:, frame], taps, points, poses))
                named.append(NamedTokens(prediction.people.token, *taught[:, frame].nonzero().unbind(-1)))
                if frame and weights.identity:
                    parts[-1]["identity"] = weights.identity * identity_loss(named[-2], named[-1])
                if weights.match:
                    features.append(self.heads.match(taps.encoded))
                if frame and weights.match:
                    match = self._match(features[frame], features[frame - 1], truth, frame, frame - 1)
                    parts[-1]["match"] = weights.match * match
        losses = {
            name: torch.stack([part[name] for part in parts if name in part]).sum() / frames for name in parts[-1]
        }
        camera = camera_losses(torch.stack([p.camera_pose for p in predictions], dim=1), poses)
        losses |= {
            "translation": weights.translation * camera["translation"],
            "rotation": weights.rotation * camera["rotation"],
        }
        losses |= self._point_losses(predictions, points, valid, poses, truth.images)
        return losses

    def _frame_losses(
        self,
        truth: Truth,
        frame: int,
        prediction: FramePrediction,
        taught: Tensor,
        taps: Taps,
        points: Tensor,
        poses: Tensor,
    ) -> Losses:
        weights, people = self.weights, prediction.people
        losses = self._seen_losses(
            truth, frame, prediction.scores, people.head_square_px, prediction.mask, taught, taps
        )
        batch_index, slot = taught.nonzero().unbind(-1)
        persons = self._people_truth(truth, frame, batch_index, slot)
        if weights.paper:
            losses |= paper_people_losses(
                people,
                persons,
                truth.focal_px[batch_index, frame],
                (truth.images.shape[-2], truth.images.shape[-1]),
                self.surface,
            )
        elif weights.people and taps.raw_rotations is not None:
            bodies = body_losses(
                taps.raw_rotations,
                people.betas,
                people.expression,
                people.head_point,
                persons,
                self.skeleton,
                weights.person,
            )
            if taps.reading is not None:
                bodies |= reader_losses(taps.reading, persons, weights.person)
            losses |= {name: weights.people * value for name, value in bodies.items()}
        assert taps.stream is not None and taps.encoded is not None
        image_tokens = taps.stream[:, 1 : 1 + taps.encoded.shape[1]]
        if weights.world:
            turn, shift = poses[:, frame, None, :3, :3], poses[:, frame, None, None, :3, 3]
            world = points[:, frame] @ turn.mT + shift
            losses["world"] = weights.world * self.heads.world_loss(image_tokens, world, truth.depth[:, frame] > 0)
        if weights.flow and frame:
            matches = patch_matches(
                truth.depth[:, frame],
                truth.instance[:, frame],
                truth.focal_px[:, frame],
                poses[:, frame],
                truth.depth[:, 0],
                poses[:, 0],
            )
            wanted = (matches.position_px - matches.center_px).clamp(-96, 96)
            error = (self.heads.flow_px(image_tokens) - wanted).abs().sum(dim=-1) / 32
            losses["flow"] = weights.flow * (error * matches.visible).sum() / matches.visible.sum().clamp(min=1)
        return losses

    def _seen_losses(
        self, truth: Truth, frame: int, scores: Tensor, square_px: Tensor, mask: Tensor, taught: Tensor, taps: Taps
    ) -> Losses:
        """Detection, offset, mask, and what the fine features say about the surface."""
        weights, config = self.weights, self.model.config
        batch_index, slot = taught.nonzero().unbind(-1)
        height, width = truth.images.shape[-2:]
        square = position_to_square(truth.head_px[batch_index, frame, slot], config.prior_resolution, height, width)
        detection, masks = (DETECTION, MASK) if weights.paper else (weights.detection, weights.mask)
        losses = {}
        if detection:
            losses["detection"] = detection * detection_loss(scores, batch_index, self._prior_patch(square))
            losses["offset"] = weights.offset * offset_loss(square_px, square, config.prior_patch_size)
        if masks:
            losses["mask"] = masks * mask_loss(mask, truth.instance[:, frame] > 0)
        # Pictures from elsewhere have no such labels: then nothing is learnt from them here.
        if weights.surface and taps.fine is not None and truth.part is not None and truth.canonical is not None:
            surface = self.heads.surface_losses(taps.fine, truth.part[:, frame], truth.canonical[:, frame])
            losses |= {name: weights.surface * value for name, value in surface.items()}
        return losses

    def _point_losses(
        self, predictions: list[FramePrediction], points: Tensor, valid: Tensor, poses: Tensor, images: Tensor
    ) -> Losses:
        weights = self.weights
        if not weights.points:
            return {}
        found = torch.stack([p.points_self for p in predictions], dim=1)
        confidence = torch.stack([p.confidence for p in predictions], dim=1)
        scale = scene_scale(points, valid, confidence)
        losses = {
            "points": weights.points * point_loss(found, confidence, points, valid, scale),
            "log_depth": weights.log_depth * log_depth_loss(found, points, valid),
            "rays": weights.rays * ray_loss(found, points, valid),
        }
        if weights.world_map:
            world = points @ poses[:, :, None, :3, :3].mT + poses[:, :, None, None, :3, 3]
            cross = torch.stack([_made(p.points_world) for p in predictions], dim=1)
            sureness = torch.stack([_made(p.confidence_world) for p in predictions], dim=1)
            color = torch.stack([_made(p.color) for p in predictions], dim=1)
            losses["world_points"] = weights.world_map * point_loss(cross, sureness, world, valid, scale)
            losses["color"] = weights.world_map * functional.mse_loss(color, images.permute(0, 1, 3, 4, 2))
        return losses

    def _match(self, source: Tensor, target: Tensor, truth: Truth, frame: int, other: int) -> Tensor:
        poses = truth.world_from_camera
        matches = patch_matches(
            truth.depth[:, frame],
            truth.instance[:, frame],
            truth.focal_px[:, frame],
            poses[:, frame],
            truth.depth[:, other],
            poses[:, other],
        )
        return matching_loss(source, target, matches)[0]

    def _taught(self, truth: Truth) -> Tensor:
        return taught_people(truth, self.model.config.prior_resolution, self.model.config.prior_patch_size)

    def _prior_patch(self, square: Tensor) -> Tensor:
        config = self.model.config
        return (square / config.prior_patch_size).floor().long().flip(-1).clamp(0, config.score_grid - 1)

    def _people_truth(self, truth: Truth, frame: int, batch_index: Tensor, slot: Tensor) -> PeopleTruth:
        joints = truth.joints[batch_index, frame, slot]
        longest = max(truth.images.shape[-2:])
        focal = truth.focal_px[batch_index, frame] * self.model.config.prior_resolution / longest
        return PeopleTruth(
            truth.rotations[batch_index, frame, slot][:, list(HUMAN3R_TO_JOINT)], truth.betas[batch_index, frame, slot],
            truth.expression[batch_index, frame, slot], joints, focal / joints[:, HEAD, 2].clamp(min=0.05),
        )  # fmt: skip


def _made(output: Tensor | None) -> Tensor:
    assert output is not None, "the training heads did not run"
    return output
