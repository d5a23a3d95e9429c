"""One configuration class a loss: its parameters with defaults, ranges and meaning. The functions live in `worker.losses`.

The class docstring is what people read beside the form; `formula` is KaTeX. l = y − ŷ in metres, d = ln y − ln ŷ, over valid pixels n.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from depthboard.config.base import Frozen

CARVALHO = "Carvalho et al., On regression losses for deep depth estimation, ICIP 2018, Table 1"
EIGEN_2014 = "Eigen, Puhrsch, Fergus, Depth map prediction from a single image, NIPS 2014"
EIGEN_2015 = "Eigen, Fergus, Predicting depth, surface normals and semantic labels, ICCV 2015"
LAINA = "Laina et al., Deeper depth prediction with fully convolutional residual networks, 3DV 2016"
LSGAN = "Mao et al., Least squares generative adversarial networks, ICCV 2017"


class LossBase(Frozen):
    title: ClassVar[str]
    formula: ClassVar[str]
    sources: ClassVar[tuple[str, ...]] = (CARVALHO,)

    weight: float = Field(1.0, gt=0, description="Factor on the whole loss.")


class L1(LossBase):
    """Mean absolute error in metres."""

    title = "L1"
    formula = r"\frac{1}{n}\sum |\ell|"
    name: Literal["l1"] = "l1"


class L2(LossBase):
    """Mean squared error in square metres."""

    title = "L2"
    formula = r"\frac{1}{n}\sum \ell^2"
    name: Literal["l2"] = "l2"


class ThresholdLoss(LossBase):
    sources = (CARVALHO, LAINA)
    threshold: float | None = Field(
        None,
        gt=0,
        le=10,
        description="c in metres; empty takes threshold_ratio × the largest error of the batch, anew each step.",
    )
    threshold_ratio: float = Field(0.2, gt=0, le=1, description="c as a share of the batch's largest absolute error.")


class Huber(ThresholdLoss):
    """Quadratic below c, absolute above it: the paper's form, (l² + c²)/2c below c, which differs from the textbook's by 1/c and an offset."""

    title = "Huber"
    formula = r"\begin{cases}|\ell| & |\ell|\ge c\\ \frac{\ell^2+c^2}{2c} & \text{else}\end{cases}"
    name: Literal["huber"] = "huber"


class BerHu(ThresholdLoss):
    """Absolute below c, quadratic above it: large errors weigh more than in L1."""

    title = "BerHu"
    formula = r"\begin{cases}|\ell| & |\ell|\le c\\ \frac{\ell^2+c^2}{2c} & \text{else}\end{cases}"
    name: Literal["berhu"] = "berhu"


class Eigen(LossBase):
    """Scale-invariant log error. λ = 1 ignores a common scale, λ = 0 is L2 in log space. Per image, then the mean over the batch."""

    title = "Eigen"
    formula = r"\frac{1}{n}\sum d^2-\frac{\lambda}{n^2}\left(\sum d\right)^2"
    sources = (CARVALHO, EIGEN_2014)
    name: Literal["eigen"] = "eigen"
    lam: float = Field(0.5, ge=0, le=1, description="λ, the share of the common scale error that is forgiven.")


class EigenGrad(LossBase):
    """Eigen with λ/2, as the paper prints it, plus the squared forward differences of d where both pixels are valid."""

    title = "Eigen+grad"
    formula = r"\frac{1}{n}\sum d^2-\frac{\lambda}{2n^2}\left(\sum d\right)^2+\frac{1}{n}\sum\left[(\nabla_x d)^2+(\nabla_y d)^2\right]"
    sources = (CARVALHO, EIGEN_2015)
    name: Literal["eigengrad"] = "eigengrad"
    lam: float = Field(0.5, ge=0, le=1, description="λ; half of it multiplies the squared mean.")


class GAN(LossBase):
    """Least-squares adversarial loss with L1: a conditional PatchGAN D sees depth and image; D is updated first, then the network."""

    title = "GAN"
    formula = r"\overline{(D(x,\hat y)-1)^2}+\lambda\,\overline{|\ell|}"
    sources = (CARVALHO, LSGAN)
    name: Literal["gan"] = "gan"
    l1_weight: float = Field(
        20.0, ge=0, description="λ per metre; 20 per metre is the authors' 100 in network units (1 unit = 5 m)."
    )


LossConfig = Annotated[L1 | L2 | Huber | BerHu | Eigen | EigenGrad | GAN, Field(discriminator="name")]

LOSS_CONFIGS: dict[str, type[LossBase]] = {
    "l1": L1,
    "l2": L2,
    "huber": Huber,
    "berhu": BerHu,
    "eigen": Eigen,
    "eigengrad": EigenGrad,
    "gan": GAN,
}
