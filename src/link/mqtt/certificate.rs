//! The common name in a certificate's subject: who a broker's ACL takes its owner for.

/// The tags (X.690) and the attribute (X.520 `id-at-commonName`, 2.5.4.3) that lead there.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const EXPLICIT_VERSION: u8 = 0xa0;
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16]; // UTF8String, PrintableString, IA5String
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The first common name of an X.509 certificate (DER), if it has one.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let mut certificate = Der(Der(certificate).expect(SEQUENCE)?);
    let mut fields = Der(certificate.expect(SEQUENCE)?);
    let (first, _) = fields.next()?;
    // version is optional; then follow serial number, signature algorithm, issuer, validity
    for _ in 0..if first == EXPLICIT_VERSION { 4 } else { 3 } {
        fields.next()?;
    }
    let subject = fields.expect(SEQUENCE)?;
    Der(subject)
        .filter(|(tag, _)| *tag == SET)
        .flat_map(|(_, names)| Der(names))
        .find_map(|(_, attribute)| text_of_common_name(attribute))
}

fn text_of_common_name(attribute: &[u8]) -> Option<String> {
    let mut attribute = Der(attribute);
    if attribute.expect(OBJECT_IDENTIFIER)? != COMMON_NAME {
        return None;
    }
    let (tag, text) = attribute.next()?;
    TEXTS
        .contains(&tag)
        .then(|| String::from_utf8(text.to_vec()).ok())?
}

/// The elements of a DER encoding, as (tag, content). Ends at the first that is malformed.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|(found, _)| *found == tag)
            .map(|(_, content)| content)
    }
}

impl<'a> Iterator for Der<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&tag, rest) = self.0.split_first()?;
        let (&short, rest) = rest.split_first()?;
        let (length, rest) = if short < 0x80 {
            (usize::from(short), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            if digits.len() > 4 {
                return None;
            }
            let length = digits
                .iter()
                .fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn certificate(names: &[(DnType, &str)]) -> Vec<u8> {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, name) in names {
            params.distinguished_name.push(kind.clone(), *name);
        }
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_common_name_is_found_among_others() {
        let names = [
            (DnType::OrganizationName, "them"),
            (DnType::CommonName, "cluster é"),
        ];
        let certificate = certificate(&names);
        assert_eq!(common_name(&certificate).as_deref(), Some("cluster é"));
    }

    #[test]
    fn a_certificate_without_one_has_none() {
        assert_eq!(
            common_name(&certificate(&[(DnType::OrganizationName, "them")])),
            None
        );
    }

    #[test]
    fn half_a_certificate_has_none() {
        let certificate = certificate(&[(DnType::CommonName, "me")]);
        for length in 0..certificate.len() {
            assert_eq!(common_name(&certificate[..length]), None);
        }
    }
}
