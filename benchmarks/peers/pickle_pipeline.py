"""Save a pipeline the tutorial way: ``python -m benchmarks.peers.pickle_pipeline IN OUT``."""

import sys

import joblib
import skops.io

untrusted = skops.io.get_untrusted_types(file=sys.argv[1])
joblib.dump(skops.io.load(sys.argv[1], trusted=untrusted), sys.argv[2])
