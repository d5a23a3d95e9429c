"""The paper's seven losses, as it prints them (Table 1)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from depthboard.config.losses.base import CARVALHO, LogLoss, LossBase, ThresholdLoss, Unit, UnitLoss

EIGEN_2014 = "Eigen, Puhrsch, Fergus, Depth map prediction from a single image, NIPS 2014"
EIGEN_2015 = "Eigen, Fergus, Predicting depth, surface normals and semantic labels, ICCV 2015"
LSGAN = "Mao et al., Least squares generative adversarial networks, ICCV 2017"


class L1(UnitLoss):
    """Mean absolute error."""

    title = "L1"
    measured_in = "m or units"
    formula = r"\frac{1}{n}\sum |\ell|"
    name: Literal["l1"] = "l1"


class L2(UnitLoss):
    """Mean squared error; in network units a 25th of that in square metres."""

    title = "L2"
    measured_in = "m² or units²"
    formula = r"\frac{1}{n}\sum \ell^2"
    name: Literal["l2"] = "l2"


class Huber(ThresholdLoss):
    """Quadratic below c, absolute above it: the paper's form, (l² + c²)/2c below c, which differs from the textbook's by 1/c and an offset."""

    title = "Huber"
    measured_in = "m or units"
    formula = r"\begin{cases}|\ell| & |\ell|\ge c\\ \frac{\ell^2+c^2}{2c} & \text{else}\end{cases}"
    brief = r"\tfrac{\ell^2+c^2}{2c}\text{ if }|\ell|<c,\text{ else }|\ell|"
    differs = (
        "Table 1 has BerHu's two branches exchanged. The authors' code trains the textbook's Huber instead, c times this less c²/2."
    )
    name: Literal["huber"] = "huber"


class BerHu(ThresholdLoss):
    """Absolute below c, quadratic above it: large errors weigh more than in L1."""

    title = "BerHu"
    measured_in = "m or units"
    formula = r"\begin{cases}|\ell| & |\ell|\le c\\ \frac{\ell^2+c^2}{2c} & \text{else}\end{cases}"
    brief = r"|\ell|\text{ if }|\ell|\le c,\text{ else }\tfrac{\ell^2+c^2}{2c}"
    differs = "Paper and code agree. The code divides 0 by 0 for a batch without any error; here c is at least 10⁻⁶."
    name: Literal["berhu"] = "berhu"


class Eigen(LogLoss):
    """Scale-invariant log error. λ = 1 ignores a common scale, λ = 0 is L2 in log space. Per image, then the mean over the batch."""

    title = "Eigen"
    formula = r"\frac{1}{n}\sum d^2-\frac{\lambda}{n^2}\left(\sum d\right)^2"
    brief = r"\overline{d^2}-\lambda\,\bar d^{\,2}"
    differs = "This is the paper's. The authors' code divides the squared mean by N² once more, which leaves the mean of d²: Eigen, as released."
    sources = (CARVALHO, EIGEN_2014)
    name: Literal["eigen"] = "eigen"
    lam: float = Field(0.5, ge=0, le=1, description="λ, the share of the common scale error that is forgiven.")


class EigenGrad(LogLoss):
    """Eigen with λ/2, as the paper prints it, plus the squared forward differences of d where both pixels are valid."""

    title = "Eigen+grad"
    formula = r"\frac{1}{n}\sum d^2-\frac{\lambda}{2n^2}\left(\sum d\right)^2+\frac{1}{n}\sum\left[(\nabla_x d)^2+(\nabla_y d)^2\right]"
    brief = r"\overline{d^2}-\tfrac{\lambda}{2}\bar d^{\,2}+\overline{|\nabla d|^2}"
    differs = (
        "Table 1 prints λ/2, 0.25 at λ = 0.5, where Eigen and Fergus have 0.5: convention says which. The authors' code has neither "
        "this factor nor these differences: Eigen+grad, as released."
    )
    sources = (CARVALHO, EIGEN_2015)
    name: Literal["eigengrad"] = "eigengrad"
    lam: float = Field(
        0.5, ge=0, le=1, description="λ; the convention says how much of it multiplies the squared mean."
    )
    convention: Literal["carvalho", "eigen_fergus"] = Field(
        "carvalho",
        description="carvalho: λ/2 multiplies the squared mean, as Table 1 prints it (0.25 at λ = 0.5); eigen_fergus: λ itself, their 1/2 at λ = 0.5.",
    )


class GAN(LossBase):
    """Least-squares adversarial loss with L1: a conditional PatchGAN D sees depth and image; D is updated first, then the network."""

    title = "GAN"
    formula = r"w\,\overline{(D(x,\hat y)-1)^2}+\lambda\,\overline{|\ell|}"
    differs = (
        "Table 1 folds both players into one line. The authors' code has λ = 100 per network unit of 5 m, 20 per metre; "
        "its adversarial term had the factor 0.5 in 2017 and 1 in 2018."
    )
    sources = (CARVALHO, LSGAN)
    training = frozenset({"d_lr"})
    name: Literal["gan"] = "gan"
    l1_weight: float = Field(
        20.0, ge=0, description="λ per unit of L1: 20 per metre is the authors' 100 per network unit (1 unit = 5 m)."
    )
    unit: Unit = Field("metre", description="What λ counts: metres, or the paper's network units of 5 m.")
    adversarial_weight: float = Field(
        1.0, ge=0, description="w, factor on the adversarial term: 1 in the authors' code of 2018, 0.5 in 2017."
    )
    d_lr: float | None = Field(
        2e-4,
        gt=0,
        le=1,
        description="Learning rate of D, by default the authors'; empty takes the network's. At 5e-3 D may run away.",
    )

    @model_validator(mode="after")
    def _weight_in_its_unit(self) -> GAN:
        """A λ that was chosen per metre means a fifth of it per network unit: who changes the unit must say λ too."""
        if self.unit == "network" and "l1_weight" not in self.model_fields_set:
            raise ValueError("l1_weight must be given with unit: network; the authors' value is 100 per network unit")
        return self
