/* SPDX-License-Identifier: Apache-2.0 */
/* empty.c - a shared object that is no provider */
int souk_test_nothing(void);

int souk_test_nothing(void)
{
	return 0;
}
