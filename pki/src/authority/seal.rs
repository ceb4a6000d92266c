//! The authority's key at rest: PKCS#8, encrypted under a passphrase, as `openssl pkey` opens it.

use std::path::Path;

use pkcs8::der::SecretDocument;
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

use super::AuthorityError;
use crate::KeyPair;

/// scrypt with N = 2^14, r = 8, p = 5: OWASP's choice for 16 MiB. OpenSSL refuses more than 32 MiB, so cost is added in p.
/// This crate's own unit tests derive hundreds of keys and judge none of them.
const LOG_N: u8 = if cfg!(test) { 4 } else { 14 };
const R: u32 = 8;
const P: u32 = 5;

const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// The key, encrypted (PEM).
pub(super) fn seal(key: &KeyPair, passphrase: &SecretString) -> Result<String, AuthorityError> {
    if passphrase.expose_secret().is_empty() {
        return Err(AuthorityError::EmptyPassphrase);
    }
    let mut salt = [0; 16];
    let mut iv = [0; 16];
    let random = SystemRandom::new();
    random.fill(&mut salt).and_then(|()| random.fill(&mut iv)).map_err(|_| AuthorityError::Random)?;
    encrypt(key, passphrase, &salt, iv).map_err(AuthorityError::Seal)
}

fn encrypt(key: &KeyPair, passphrase: &SecretString, salt: &[u8], iv: [u8; 16]) -> pkcs8::Result<String> {
    let cost = scrypt::Params::new(LOG_N, R, P).map_err(|_| pkcs8::Error::ParametersMalformed)?;
    let scheme =
        pbes2::Parameters::generate_scrypt_aes256cbc(cost, salt, iv).map_err(pkcs8::Error::EncryptedPrivateKey)?;
    let sealed = PrivateKeyInfoRef::try_from(key.der())?.encrypt_with_params(scheme, passphrase.expose_secret())?;
    Ok(sealed.to_pem(LABEL, LineEnding::LF)?.to_string())
}

/// The key out of the text of `path`.
pub(super) fn unseal(path: &Path, pem: &str, passphrase: &SecretString) -> Result<KeyPair, AuthorityError> {
    let no_key = |e| AuthorityError::damaged(path, "not an encrypted private key", e);
    let (_, document) = SecretDocument::from_pem(pem).map_err(no_key)?;
    let sealed: EncryptedPrivateKeyInfoRef<'_> = document.decode_msg().map_err(no_key)?;
    // A wrong passphrase shows as bad padding, or by chance as nonsense in place of a key.
    let wrong = || AuthorityError::WrongPassphrase(path.to_owned());
    let opened = sealed.decrypt(passphrase.expose_secret()).map_err(|_| wrong())?;
    KeyPair::from_der(opened.as_bytes()).map_err(|_| wrong())
}
