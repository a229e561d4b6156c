"""How Hypothesis looks for examples: the same ones each time, and at the machine's own pace."""

from hypothesis import HealthCheck, settings

# A busy machine is slow now and then; that says nothing about the code. New examples are looked
# for on purpose, with `./dev test --hypothesis-profile=explore`.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile("steady")
