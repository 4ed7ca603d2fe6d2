#!/usr/bin/env python3
"""The include check itself: each kind of wrong include is found, and named with its place."""
import pathlib
import tempfile
import unittest

import include_check


class IncludeCheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("include/shipway/status.h", "#include <string>\n")
        self.write("src/base/status.cpp", '#include "shipway/status.h"\n')
        self.write("include/shipway/model.h", '#include "shipway/status.h"\n')
        self.write("src/graph/model.cpp", '#include "shipway/model.h"\n')

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def complaints(self):
        return include_check.check(self.root)[1]

    def test_accepts_includes_along_the_arrows(self):
        self.write("src/passes/fold.cpp", '#include "shipway/model.h"\n#include "base/text.h"\n#include <vector>\n')
        self.assertEqual(self.complaints(), [])

    def test_refuses_an_include_against_an_arrow(self):
        self.write("src/graph/node.cpp", '\n#include "operators/registry.h"\n')
        self.assertEqual(self.complaints(),
                         ["src/graph/node.cpp:2: graph may not include operators/registry.h of operators"])

    def test_refuses_a_public_header_of_a_later_layer(self):
        self.write("src/base/early.cpp", '#include <shipway/model.h>\n')
        self.assertEqual(self.complaints(), ["src/base/early.cpp:1: base may not include shipway/model.h of graph"])

    def test_refuses_an_include_between_siblings(self):
        self.write("src/passes/fast.cpp", '#include "kernels/gemm.h"\n')
        self.assertEqual(self.complaints(), ["src/passes/fast.cpp:1: passes may not include kernels/gemm.h of kernels"])

    def test_lets_only_tests_of_kernels_see_nodes(self):
        self.write("src/kernels/gemm.cpp", '#include "shipway/model.h"\n')
        self.write("src/kernels/gemm_test.cpp", '#include "shipway/model.h"\n')
        self.assertEqual(self.complaints(),
                         ["src/kernels/gemm.cpp:1: kernels may include shipway/model.h of graph in tests only"])

    def test_refuses_private_headers_in_public_ones(self):
        self.write("include/shipway/model.h", '#include "base/text.h"\n')
        self.assertEqual(self.complaints(),
                         ["include/shipway/model.h:1: a public header includes base/text.h, which is not installed"])

    def test_asks_for_the_owner_of_a_public_header(self):
        self.write("include/shipway/orphan.h", "")
        self.assertIn("include/shipway/orphan.h: no layer has a orphan.cpp", self.complaints()[0])

    def test_wants_every_public_header_in_the_one_for_users(self):
        self.write("include/shipway/shipway.h", '#include "shipway/status.h"\n')
        self.assertEqual(self.complaints(), ["include/shipway/shipway.h: does not include shipway/model.h"])

    def test_refuses_a_folder_that_is_no_layer(self):
        self.write("src/misc/junk.cpp", "")
        self.assertEqual(self.complaints(), ["src/misc/junk.cpp: 'misc' is no layer"])

    def test_refuses_a_link_against_an_arrow(self):
        self.write("CMakeLists.txt", "shipway_layer(tensor DEPENDS base)\nshipway_layer(base DEPENDS engine LIBRARIES fmt::fmt)\n")
        self.assertEqual(self.complaints(), ["CMakeLists.txt: base may not link engine"])


if __name__ == "__main__":
    unittest.main()
