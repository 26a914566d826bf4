// A target of C needs a source file; all that this one offers is declared in its header.
#include "CLinux.h"
