//! Keys and tokens from another implementation, the `cryptography` package of Python. Each token
//! names the user `42` in the group `pro` and expires at 4102444800.

pub(super) const RSA: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAiPdRslA+CfVrxzwmNjzF
+YUwj7XsQnhZk5uPUCot/rEuK1ZuDkcW5Zw3WFtZjT6J8bFq9ESDLmguehD0FhDe
caTjrgFTJcdZg+Pip18KE32VLrD9/4J7EQrKoY20unpvdVJcVid1Ixisj2x0DPdx
6dVkQYErxxVzUw7eKSQTf3MdlPcP0quF97MWAg6K5pWv1Vj3pvS9R9CpPjmqbEb6
Ym+GLCDU8fTAvYmC9Q7bdKqsC6x64bMAGFJUH7pnu7WIHSXfxvGPtKkYC6ZK6yGy
rtVxvZnVuD1Y/1xSFuzsBgoJOoX9j5DCkyscyOVxdwaWrLB/YJuIbAC2m9AYVp6I
qQIDAQAB
-----END PUBLIC KEY-----
";

pub(super) const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEl0C7+Ia+T6Nirl25b0Sl/6zh22+3
gaqq9+t7mIEWuq3NF9SeJYPk0quR4P6IfLsxUyDOq2313zI4O0uYtk9O2w==
-----END PUBLIC KEY-----
";

pub(super) const P384: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEnLbcK8d2CdsCNS/L+j+aehYS+sY9gZoI
E8X5xxelPdHBzyoHHvUo2OJ+e9OIMT9JiDoCRFsQA63PVrSvucb+W52hP17RNuXb
7gwFLj93+3EEDQZ0tEe1ta2R6CfisOH+
-----END PUBLIC KEY-----
";

pub(super) const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAkvDBOYCusr8iCpxakbJvvekeb2+oZwzvp7LLXdUG6ug=
-----END PUBLIC KEY-----
";

pub(super) const RSA_PKCS1: &str = "-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAiPdRslA+CfVrxzwmNjzF+YUwj7XsQnhZk5uPUCot/rEuK1ZuDkcW
5Zw3WFtZjT6J8bFq9ESDLmguehD0FhDecaTjrgFTJcdZg+Pip18KE32VLrD9/4J7
EQrKoY20unpvdVJcVid1Ixisj2x0DPdx6dVkQYErxxVzUw7eKSQTf3MdlPcP0quF
97MWAg6K5pWv1Vj3pvS9R9CpPjmqbEb6Ym+GLCDU8fTAvYmC9Q7bdKqsC6x64bMA
GFJUH7pnu7WIHSXfxvGPtKkYC6ZK6yGyrtVxvZnVuD1Y/1xSFuzsBgoJOoX9j5DC
kyscyOVxdwaWrLB/YJuIbAC2m9AYVp6IqQIDAQAB
-----END RSA PUBLIC KEY-----
";

pub(super) const RSA_OF_1024_BITS: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7+xlxNHLZ42yKFPr21V6V+DeL
69dq6L34RgzbPXYF6TdIkXzzS2volgCU/iidh3r3CAQYuP7Ag6kDuV5dBOfpo0Hi
nxGSkCnFPmp8xFSsZJ5w5JAQsxGauOmtzqMwkGP9Xh7woPInWvsPOslIL7p3wmC7
FUs6eP3N9LBdgs3LaQIDAQAB
-----END PUBLIC KEY-----
";

pub(super) const SECP256K1: &str = "-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEB3VwfLtC6XpCfbMGVfYixlFugtftFLUD
q1/sBSqxoW/B8Nz664gVHgah/eAnZBCqotrah0WlbDay2iDxnUfE0Q==
-----END PUBLIC KEY-----
";

/// One token for each algorithm.
pub(super) const TOKENS: [(&str, &str); 12] = [
    (
        "HS256",
        "eyJhbGciOiAiSFMyNTYiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.PTMpcmlrAMkChVWM5N-w4BsqNGhoJdEpxroN_OxCFWI",
    ),
    (
        "HS384",
        "eyJhbGciOiAiSFMzODQiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.zVWnd76hBCKqyhrfP7BJdENIyBv11NRC5gInAOD0x6PMp8mMKgODrBtn8c9lnixs",
    ),
    (
        "HS512",
        "eyJhbGciOiAiSFM1MTIiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.0iSVtlXipNHePTKJ6QorZH_g2Bs_czBRbPCY-qzTUuaglli5bsVi6q_Wfu0jnxtumXsuYfP10sZMB5ImfQq-yQ",
    ),
    (
        "RS256",
        "eyJhbGciOiAiUlMyNTYiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.Mj_VEE9_SUPHVcW31uj0rPxq0WiH3XAPydf-p0nmracaoe3J7OvsRjuxwpVOK1vg5CiGZeUuZA5jCeeZCmChRfjPi4InRLlbMpo1D7iK17LIJtiOufLX6RKWBbSUNZU_kvGhuSR-mamy3RIynOc-R6pTaXLejuv4TUkjf8v-fE-lCkrQIcZKVced1cxYHsSPCZqbB32CvCYdARjfgkihW10nFzqE5Ur09rdglmDfILnqt9Uk-2PMesAKhsyAdQJdOvI5tm60xbc7ijM1s8lq-yTkKHn7l56aPg3xMEN_qCk0sxClN5UAYRZsJeTwg-Hg787-SdwJyt0n2fpU_IbklQ",
    ),
    (
        "RS384",
        "eyJhbGciOiAiUlMzODQiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.G4Ow3P4ScSYu9MofPYSVtLZHC_sr-jo3zrCsAtz6ERd8XeVrs8Cwg2OxfuLuN7MdKEhhC0jwanvSteQWtCPURLCwZmkkWAKtHuEEySOTWJ2L3LMTEtc0gfzWlWrMtyjMHglmty7mwpG_o_LK9J0w95L5GOeTCjWBtIQ6Imz1Zfe1qgl4spuRufG3To5ChRrDulMgWVIcYZS_D_CYuCKI3eXuUYFVr0jbSvXkjr_l7LITOhOVP6mwoyphD-4Sg7H6-uMiPmsc4NS6mOAilU73xtTjVO6BE0zKY2rPo_wdKiY_yBCItxSA6VGvYjZkiOvHyjVyuiFvR2M3R4jpAAJ0yA",
    ),
    (
        "RS512",
        "eyJhbGciOiAiUlM1MTIiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.OZc1Lt07PzCSE9XPZ46mWZ_D4OhZpm6WZRiomm5eXbfpMzSlKotvwJZoSYW22jDLRcXBNabKP-fzsHv-gzrOCFixUnren16cnPJ-OZs00M_fWGzkK1ItUBob_ORmdrIiBCt7r8vjxWdlf_BYv7v85_urAfHFh6C7ny3YFM9DoZtVKj1-dT2XsAt9Q_ZVNUHALypW0Cdm48NXraLtcCygwRn0nNswqrZ6bQr2JzBZ7S2aLqxUx_8BDUZp3NfBROcpsl_ODtYTwKRQMNTgwqdcdy7GLkb2eG4mI2bLkRsH6dTAjJ8ClLbjTmSz2XSdD7TdluBMlEx4Cqkn8Cfhwc86eg",
    ),
    (
        "PS256",
        "eyJhbGciOiAiUFMyNTYiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.P0ItZ1EGJ1xoTNTiRdjjEZed8AM0uU-cAsKsa2ZGxFcfNlUW_xetSNznGhgm_aAmuWIIerND0UNf9byxAnBnDfzNvK_Yg7mKfgBtfc1WsSHPAILiZaS3gzlqx3zGgM1l2hpgJ1gKHNyypl3PU3oTf0SvBxeotyrVVfzICKw5vts0VLqZ_mFU_gCRGsoaQXrPumW-I2IBk1R-oWixdiQH-O-5lVV5mUe-rLYoVW0d4-e3bdWiYdlXYY6mPRZuZbdiHRbqRnvleczk-qy7hdU7Ql_lJ9qithX4iXMeh2z5iOhQRbcDeZ0Kt-kPm7km-UUODCI9t0LVhhFRYjXC3S1VTA",
    ),
    (
        "PS384",
        "eyJhbGciOiAiUFMzODQiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.hqb9geJFPloxbojPq1_PAQW51MAjQDYy04yJh56kQu-39q4fq6Hh4CL7upD7QbfWoPLf3D_DuAksRKjA0K5SBdTS1LzLs0ifE5ISatiR1eMsKVzIj-mDh0IVn1eAuW1DdkM2FcBatkofHkPbCb-ow-xqdbiuMkkT_5arN0ZjFHw9McQEQxV0XSoDIE8LzxQeJOOMR5gQaIyGfakNDFx4dp0aCyIKIH9ond3hn3K97tA89tuffEJw0wP6DFTcHMyXfcoW7fz220v9ox5o5yrk1B495BMuWHpiafqOKoVzCk32J7DiCjRp0bb_XsdDfzF4XJ7qzhZxVFuGdNo6UBFthA",
    ),
    (
        "PS512",
        "eyJhbGciOiAiUFM1MTIiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.DcFhFqm5lXCMFda5U1YFCfy55U48_sjTFiVDmno1D_8iF28_Ls0KtnUMtzyQgOJh1wZ0ReiwzxeXd7tfz4Ph6jManIcu7wNNVfvZn6v8vOjwEcm1KaE9x6HSqm6cVUSQQwhHYUxYTneWydPU_wxrTGa42hdqXsXW4iapeUSr6kuBbxZNtDyJYuSh_DX7yymEbXpbcEmJ740g3S9hlwPrbPvY72nNUmuZlD12gc2QXyTnda7XmMvG6THuByrb2BhHp1A6EPDi_Q6N7kFiF3GfxHLkkCFq6ThzxYvUlQgX5HH6u6S1dRGCjdjUG8mXsCKjdmsIuKajYhZCklALgTDQbQ",
    ),
    (
        "ES256",
        "eyJhbGciOiAiRVMyNTYiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.D19QViBZvDnsDnaTEHEccgdQtPGiMuVYDvyr_2GSnPnCJtRwzCbMygvvwRtG_KeHElt6OVL-q5EE4HdYy-_OTg",
    ),
    (
        "ES384",
        "eyJhbGciOiAiRVMzODQiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.gRLmZuVsCWs072d7NrIp3avjYxSgugWa03-gta57QHzzR-eBWmuN9Z0HY0VJF7z0p7aYEXqtk_TCLarrthZwMZamlgEX-0dhGA_d-x-k_ng7_N3PXjRlEX7F5JrmfTt1",
    ),
    (
        "EdDSA",
        "eyJhbGciOiAiRWREU0EiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiNDIiLCAiZ3JvdXAiOiAicHJvIiwgImV4cCI6IDQxMDI0NDQ4MDB9.VLbN8TqJUmoTOQgcgJcXImTPtbcHibyeibArDhkfU4JBL_fMpXmsMP4R7nFTh1__n0gmKzGK1IlsksGXKGfqDA",
    ),
];
