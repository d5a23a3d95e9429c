"""What people may write for a loss, and how it is spoken of: units, sums, labels, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from depthboard.config import LOSS_CONFIGS, RunConfig, Sum, parts_of
from depthboard.config.losses import GAN, L1, MSSSIM, ms_ssim_scales
from depthboard.config.presets import PAPER_LOSSES
from depthboard.errors import InvalidInput
from depthboard.experiment import ExperimentSpec, expand, loss_label


def label(loss: Any, height: int = 64, width: int = 96) -> str:
    return loss_label(RunConfig.model_validate({"loss": loss, "data": {"height": height, "width": width}}))


def refusal(loss: Any, **factors: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        expand(ExperimentSpec.model_validate({"name": "x", "factors": {"loss": [loss], **factors}}))
    return caught.value


def test_the_papers_losses_are_seven_whatever_else_there_is() -> None:
    assert PAPER_LOSSES == ["l1", "l2", "huber", "berhu", "eigen", "eigengrad", "gan"]
    assert set(PAPER_LOSSES) < set(LOSS_CONFIGS)


def test_every_loss_names_its_formula_and_its_sources() -> None:
    assert all(config.formula and config.sources and config.__doc__ for config in LOSS_CONFIGS.values())
    assert all(config.model_fields["name"].default == name for name, config in LOSS_CONFIGS.items())


def test_a_sum_takes_bare_names_and_mappings() -> None:
    config = RunConfig.model_validate({"loss": {"name": "sum", "parts": ["l1", {"name": "ms_ssim", "weight": 2}]}})
    assert parts_of(config.loss) == (L1(), MSSSIM(weight=2))
    assert RunConfig.model_validate(config.model_dump(mode="json")) == config


def test_a_loss_that_is_no_sum_is_its_only_part() -> None:
    assert parts_of(L1(weight=3)) == (L1(weight=3),)


def test_the_parts_of_a_sum_may_be_a_factor() -> None:
    spec = {"name": "x", "base": {"loss": {"name": "sum"}}, "factors": {"loss.parts": [["l1", "l2"], ["l1", "eigen"]]}}
    cells = expand(ExperimentSpec.model_validate(spec))
    assert [loss_label(cell.config) for cell in cells] == ["l1 + l2", "l1 + eigen"]
    assert [part["name"] for part in cells[1].levels["loss.parts"]] == ["l1", "eigen"]


@pytest.mark.parametrize(
    ("loss", "field", "words"),
    [
        ({"name": "sum"}, "loss.parts", "Field required"),
        ({"name": "sum", "parts": ["l1"]}, "loss.parts", "two losses or more"),
        ({"name": "sum", "parts": "l1"}, "loss.parts", "two losses or more"),
        ({"name": "sum", "parts": ["l1", "l1"]}, "loss.parts", "l1 is there 2 times"),
        ({"name": "sum", "parts": ["l1", "sum"]}, "loss.parts", "cannot be a part of a sum"),
        ({"name": "sum", "parts": ["l1", "l3"]}, "loss.parts.1", "unknown loss l3"),
        ({"name": "sum", "parts": ["l1", {"name": "eigen", "lam": 3}]}, "loss.parts.1.lam", "got 3"),
        ({"name": "sum", "parts": ["l1", {"name": "eigen", "lamb": 0}]}, "loss.parts.1.lamb", "for the loss eigen"),
        ({"name": "sum", "parts": ["l1", "lpips"]}, "loss.parts.1.weights", "alexnet-owt-7be5be79.pth"),
        ("lpips", "loss.weights", "the path, on every worker, of torchvision's alexnet"),
        ({"name": "lpips", "net": "vgg"}, "loss.weights", "vgg16-397923af.pth"),
        ({"name": "gan", "unit": "network"}, "loss", "100 per network unit"),
        ({"name": "l1", "unit": "foot"}, "loss.unit", "'metre' or 'network'"),
    ],
)
def test_a_loss_that_cannot_be_meant_is_refused_at_its_field(loss: Any, field: str, words: str) -> None:
    error = refusal(loss)
    assert error.field == field
    assert words in error.message


def test_a_part_at_fault_is_named_also_where_the_parts_are_a_factor() -> None:
    error = refusal({"name": "sum"}, **{"loss.parts": [["l1", {"name": "l2", "lam": 1}]]})
    assert (error.field, "for the loss l2" in error.message) == ("loss.parts.1.lam", True)


def test_lambda_of_the_gan_may_be_said_per_metre_or_per_network_unit() -> None:
    assert GAN().l1_weight == 20
    assert GAN(unit="network", l1_weight=100).parameters()["l1_weight"] == 100


def test_the_learning_rate_of_d_belongs_to_the_training_and_not_to_the_function() -> None:
    assert set(GAN(d_lr=1e-4).parameters()) == {"l1_weight", "unit", "adversarial_weight"}
    assert GAN(d_lr=1e-4).model_dump()["d_lr"] == 1e-4


@pytest.mark.parametrize(
    ("side", "scales"),
    [(10, 0), (11, 1), (20, 1), (21, 2), (32, 2), (64, 3), (81, 4), (160, 4), (161, 5), (256, 5), (2048, 5)],
)
def test_ms_ssim_takes_as_many_scales_as_the_smaller_side_allows(side: int, scales: int) -> None:
    assert ms_ssim_scales(side, 4096) == ms_ssim_scales(4096, side) == scales


def test_labels_say_what_differs_from_the_defaults() -> None:
    assert label("l1") == "l1"
    assert label({"name": "l1", "unit": "network", "weight": 2}) == "l1 weight=2 unit=network"
    assert label({"name": "eigengrad", "convention": "eigen_fergus"}) == "eigengrad convention=eigen_fergus"
    assert label({"name": "gan", "d_lr": 1e-4}) == "gan d_lr=0.0001"


def test_a_file_on_the_worker_is_named_by_its_whole_path() -> None:
    lpips = {"name": "lpips", "weights": "alexnet.pth"}
    for refused, field in (
        (refusal("l1", **{"network.weights": ["densenet121.pth"]}), "network.weights"),
        (refusal(lpips), "loss.weights"),
        (refusal({"name": "sum", "parts": ["l1", lpips]}), "loss.parts.1.weights"),
    ):
        assert (refused.field, "Give the whole path" in str(refused.remedy)) == (field, True)
    assert RunConfig.model_validate({"loss": lpips, "network": {"weights": "a.pth"}}), "as a run on record may have it"


def test_the_label_of_ms_ssim_holds_its_number_of_scales() -> None:
    assert label("ms_ssim") == "ms_ssim (3 scales)"
    assert label({"name": "ms_ssim", "data_range": 5}, 256, 320) == "ms_ssim (5 scales) data_range=5"


def test_the_label_of_a_sum_reads_as_one() -> None:
    parts = ["l1", {"name": "ms_ssim", "weight": 2}]
    assert label({"name": "sum", "parts": parts}) == "l1 + 2 ms_ssim (3 scales)"
    assert label({"name": "sum", "weight": 0.5, "parts": parts}) == "0.5 (l1 + 2 ms_ssim (3 scales))"


def test_two_sums_too_long_for_the_record_keep_different_labels() -> None:
    def long(path: str) -> str:
        lpips = {"name": "lpips", "weights": "/" + "x" * 180 + path}
        names = ["l1", "l2", "huber", "berhu", "eigen", "eigengrad", "kendall_gal", "silog_sqrt", "gradient_matching"]
        return label({"name": "sum", "parts": [{"name": name, "weight": 0.125} for name in names] + [lpips]})

    assert len(long("a")) <= 300
    assert long("a") != long("b")
    assert isinstance(LOSS_CONFIGS["sum"](parts=["l1", "l2"]), Sum)
