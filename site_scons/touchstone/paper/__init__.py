# SPDX-License-Identifier: Apache-2.0
"""The paper's claims (arXiv 2404.02945) beside what this project measures."""
