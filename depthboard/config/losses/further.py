"""Losses beyond the paper's own: its code's forms, structural, perceptual and heteroscedastic ones, and today's practice."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from depthboard.config.losses.base import LogLoss, LossBase, ThresholdLoss
from depthboard.config.losses.paper import EIGEN_2014, EIGEN_2015

CARVALHO_CODE = "The authors' code, github.com/marcelampc/d3net_depth_estimation, pytorch/util/loss_bank.py"
HUBER_1964 = "Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics 35, 1964"
WANG = "Wang, Simoncelli, Bovik, Multiscale structural similarity for image quality assessment, Asilomar 2003"
ZHAO = "Zhao, Gallo, Frosio, Kautz, Loss functions for image restoration with neural networks, IEEE TCI 2017, arXiv 1511.08861"
ZHANG = "Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018 (LPIPS v0.1)"
KENDALL = "Kendall, Gal, What uncertainties do we need in Bayesian deep learning for computer vision?, NIPS 2017, eq. 8"
BTS = "Lee et al., From big to small (BTS), arXiv 1907.10326, eq. 4"
ADABINS = "Bhat, Alhashim, Wonka, AdaBins, CVPR 2021, eq. 4; the authors' loss.py for the unbiased variance"
MIDAS = "Ranftl et al., Towards robust monocular depth estimation (MiDaS), TPAMI 2022, eq. 11"


class HuberTextbook(ThresholdLoss):
    """Quadratic below δ, linear above it, 0 at no error: the authors' code. The paper's form (huber) is this divided by δ, plus δ/2."""

    title = "Huber, textbook"
    measured_in = "m² or units²"
    formula = r"\begin{cases}\frac12\ell^2 & |\ell|\le \delta\\ \delta|\ell|-\frac12\delta^2 & \text{else}\end{cases}"
    brief = r"\tfrac12\ell^2\text{ if }|\ell|\le\delta,\text{ else }\delta|\ell|-\tfrac12\delta^2"
    differs = "The form that the authors' code trains where their paper prints Huber. With a δ that changes every batch the two train differently."
    sources = (HUBER_1964, CARVALHO_CODE)
    name: Literal["huber_textbook"] = "huber_textbook"
    threshold: float | None = Field(
        None,
        gt=0,
        le=10,
        description="δ in the chosen unit; empty takes threshold_ratio × the largest error of the batch, anew each step.",
    )
    threshold_ratio: float = Field(0.2, gt=0, le=1, description="δ as a share of the batch's largest absolute error.")


class EigenAsReleased(LogLoss):
    """Eigen as the authors' code has it: the squared mean is divided by N² once more and vanishes, which leaves the mean squared log error.

    N counts all pixels of the batch; invalid ones enter with d = 0. A scale error of 1.3 costs 0.0688, twice what eigen takes for it.
    """

    title = "Eigen, as released"
    formula = r"\frac{1}{N}\sum d^2-\frac{0.5}{N^2}\left(\frac1N\sum d\right)^2"
    brief = r"\overline{d^2}-\tfrac{0.5}{N^2}\,\bar d^{\,2}"
    differs = "What the authors' code computes, slip included; what their paper prints is Eigen."
    sources = (CARVALHO_CODE, EIGEN_2014)
    name: Literal["eigen_as_released"] = "eigen_as_released"


class EigenGradAsReleased(LogLoss):
    """Eigen+grad as the authors' code has it: the squared mean vanishes (divided by N² once more), gradients by 3×3 Sobel filters S, neither
    normalised nor padded but with zeros.

    N counts all pixels of the batch; invalid ones enter with d = 0. A unit ramp of d gives S = 8, so that gradients weigh up to 64 times more
    than in eigengrad, and a constant d makes edges along the border and round holes.
    """

    title = "Eigen+grad, as released"
    formula = r"\frac{1}{N}\sum d^2-\frac{0.5}{N^2}\left(\frac1N\sum d\right)^2+\frac{1}{N}\sum\left[(S_x d)^2+(S_y d)^2\right]"
    brief = r"\overline{d^2}-\tfrac{0.5}{N^2}\,\bar d^{\,2}+\overline{|S d|^2}"
    differs = (
        "What the authors' code computes; what their paper prints is Eigen+grad. Their mask, 0.5 m and farther, is here that of the data."
    )
    sources = (CARVALHO_CODE, EIGEN_2015)
    name: Literal["eigengrad_as_released"] = "eigengrad_as_released"


class StructuralLoss(LossBase):
    data_range: float = Field(
        10.0,
        gt=0,
        le=1000,
        description="R in metres; sets C₁ = (0.01 R)² and C₂ = (0.03 R)², below which contrast counts as none.",
    )


class MSSSIM(StructuralLoss):
    """1 − multi-scale structural similarity: windows of 11×11 pixels (σ 1.5) at L scales, each half the size of the one before.

    L is the largest, up to 5, with 10·2^(L−1) below the smaller side: 3 at 64×96, 5 at 256×320; the first L weights, raised to the sum of all five. It barely
    sees offsets (0.5 m on 1–5 m costs 0.002): for metric depth use it in a sum. Windows take valid pixels alone.
    """

    title = "MS-SSIM"
    formula = r"1-l_L^{w_L}\prod_{j=1}^{L} cs_j^{\,w_j},\quad cs=\frac{2\sigma_{y\hat y}+C_2}{\sigma_y^2+\sigma_{\hat y}^2+C_2},\ l=\frac{2\mu_y\mu_{\hat y}+C_1}{\mu_y^2+\mu_{\hat y}^2+C_1}"
    brief = r"1-l\,\textstyle\prod_j cs_j^{\,w_j}"
    residual = ""
    differs = "Wang's five weights are for five scales; small pictures have fewer, and theirs are scaled to the same sum. Windows leave invalid pixels out."
    sources = (WANG,)
    name: Literal["ms_ssim"] = "ms_ssim"


class L1MSSSIM(StructuralLoss):
    """α(1 − MS-SSIM) + (1 − α) L1/R, per pixel: five Gaussians of σ 0.5, 1, 2, 4 and 8 px at full resolution, L1 smoothed with the widest.

    Here L1 is divided by R, since the paper's images lie in [0, 1]; exponents are 1. Windows take valid pixels alone.
    """

    title = "L1 + MS-SSIM"
    formula = (
        r"\frac1n\sum\left[\alpha\Big(1-l_{8}\prod_{\sigma} cs_{\sigma}\Big)+(1-\alpha)\,G_{8}*\frac{|\ell|}{R}\right]"
    )
    brief = r"\alpha(1-l\,\textstyle\prod cs)+(1-\alpha)\,\overline{|\ell|}/R"
    residual = ""
    differs = "The paper has α = 0.84; the authors' code and kornia have 0.025, one patch at a time or a padded border."
    sources = (ZHAO,)
    name: Literal["l1_ms_ssim"] = "l1_ms_ssim"
    alpha: float = Field(
        0.84,
        ge=0,
        le=1,
        description="α, the share of MS-SSIM: 0.84 in the paper; the authors' code and kornia have 0.025.",
    )


class LPIPS(LossBase):
    """Distance of deep features φ of a network trained on photographs, here shown depth as a grey picture (0–10 m as −1–1): a heuristic.

    The backbone's weights come from a file on the worker; nothing is downloaded.
    """

    title = "LPIPS"
    formula = r"\sum_k\frac{1}{H_kW_k}\sum_{h,w}\left\|w_k\odot\left(\hat\varphi_k(y)-\hat\varphi_k(\hat y)\right)\right\|_2^2"
    brief = r"\textstyle\sum_k\|w_k\odot(\hat\varphi_k(y)-\hat\varphi_k(\hat y))\|^2"
    residual = ""
    differs = "It was fitted to people's judgement of photographs. Depth shown to it as a grey picture is a heuristic that the paper does not know."
    sources = (ZHANG,)
    model_config = ConfigDict(json_schema_extra={"required": ["weights"]})
    name: Literal["lpips"] = "lpips"
    net: Literal["alex", "vgg", "squeeze"] = Field("alex", description="Backbone: AlexNet, VGG16 or SqueezeNet 1.1.")
    weights: str | None = Field(
        None,
        validate_default=True,
        min_length=1,
        max_length=200,
        description="File on the worker with torchvision's weights of the backbone, such as /data/alexnet-owt-7be5be79.pth.",
    )

    @field_validator("weights", mode="after")
    @classmethod
    def _named(cls, weights: str | None, info: ValidationInfo) -> str | None:
        """Refused here and not on the worker, so that it is heard before anything waits in a queue."""
        if weights is None:
            file = BACKBONE_FILES[info.data.get("net", "alex")]
            raise ValueError(f"lpips needs its backbone: the path, on every worker, of torchvision's {file}")
        return weights


BACKBONE_FILES = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
"""Torchvision's files of ImageNet weights, under https://download.pytorch.org/models/."""


class KendallGal(LossBase):
    """The network gives depth and s, the log of its variance (gaussian) or scale (laplace): large errors cost less where it says that it is unsure.

    s has an output head of its own, is clamped to [−7, 7], and starts at 0, where gaussian is half of L2. The loss may be negative.
    """

    title = "Kendall & Gal"
    measured_in = "gaussian: m² e⁻ˢ, laplace: m e⁻ˢ"
    formula = r"\text{gaussian: }\tfrac1n\sum\left[\tfrac12 e^{-s}\ell^2+\tfrac12 s\right]\quad\text{laplace: }\tfrac1n\sum\left[e^{-s}|\ell|+s\right]"
    brief = r"\tfrac12\overline{e^{-s}\ell^2+s}"
    differs = "The paper prefers the Laplace form for depth; form: laplace. Its published numbers also average 50 samples of dropout, which is not done here."
    sources = (KENDALL,)
    name: Literal["kendall_gal"] = "kendall_gal"
    form: Literal["gaussian", "laplace"] = Field(
        "gaussian", description="gaussian: squared errors, s = ln σ²; laplace: absolute errors, s = ln b."
    )


class SILogSqrt(LogLoss):
    """Square root of the scale-invariant log error over all valid pixels of the batch, times 10, as BTS and AdaBins train.

    The same but for the variance, which AdaBins divides by n − 1. 10⁻⁶ stands inside the root, so that the gradient ends at a perfect prediction.
    """

    title = "SILog, root"
    formula = r"10\sqrt{\operatorname{var} d+(1-\lambda)\,\bar d^{\,2}}"
    differs = "Both codes leave out the 10⁻⁶ inside the root, without which the slope at a perfect prediction is not a number."
    sources = (BTS, ADABINS)
    name: Literal["silog_sqrt"] = "silog_sqrt"
    form: Literal["bts", "adabins"] = Field("bts", description="bts: variance divided by n; adabins: by n − 1.")
    lam: float = Field(0.85, ge=0, le=1, description="λ, the share of the common scale error that is forgiven.")


class GradientMatching(LossBase):
    """Absolute differences between neighbours of the error, both valid, on grids of every 1st, 2nd, 4th and 8th pixel.

    It sees edges and no offset: use it in a sum. MiDaS takes it on disparity aligned in scale and shift; here it is depth in metres, as it is.
    """

    title = "Gradient matching"
    measured_in = "m"
    formula = r"\sum_{k}\frac{1}{n_k}\sum\left(|\nabla_x \ell^{(k)}|+|\nabla_y \ell^{(k)}|\right)"
    brief = r"\textstyle\sum_k\overline{|\nabla \ell^{(k)}|}"
    residual = r"\nabla\ell"
    differs = "MiDaS takes it on disparity that is aligned to the truth in scale and shift. Here it is depth in metres, as it is."
    sources = (MIDAS,)
    name: Literal["gradient_matching"] = "gradient_matching"
    scales: int = Field(4, ge=1, le=8, description="Number of grids; the kth takes every 2^(k−1)th pixel.")
