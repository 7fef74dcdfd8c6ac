/* SPDX-License-Identifier: Apache-2.0 */
/* provider/signs.h - is there any sign of a provider's credentials on this computer? */
#ifndef SOUK_PROVIDER_SIGNS_H
#define SOUK_PROVIDER_SIGNS_H

#include "model/config.h"
#include "provider/stamp.h"

enum souk_sign {
	SOUK_SIGN_NOT_NEEDED, /* the module declares no signs */
	SOUK_SIGN_FOUND,
	SOUK_SIGN_MISSING
};

/*
 * Look where the module says, without loading it: see credential_signs in souk/provider.h. An
 * endpoint in the settings counts, as whoever has one means it. Sends nothing.
 */
enum souk_sign souk_signs_look(const struct souk_module_facts *facts, const char *provider,
			       const struct souk_config *config);

/* One sign: 1 if it shows. One that we do not know does not. */
int souk_sign_shows(const char *sign, const char *provider, const struct souk_config *config);

#endif
