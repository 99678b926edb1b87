"""Hard kinds made by rendering: masked pictures with exact truth, to judge finding, marking and filling."""
