"""r̂ for anybody's agent: wrappers of environments, teaching around a learner from elsewhere, exported rewards."""
