"""r̂: a reward learned from comparisons (Christiano et al. 2017, section 2.2)."""
